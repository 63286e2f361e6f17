"""Which episodes count: the first few of every agent, however long, and not those that end first.

Of many games played side by side the short ones end first. Whoever takes the first thousand that end takes too many
of them, the more so the more the lengths differ. Here it is settled beforehand which episodes count.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

COUNTED = np.dtype(
    [
        ("world", np.int64),
        ("score", np.float64),
        ("episode_return", np.float64),
        ("length", np.int64),
        ("cut", np.bool_),
    ]
)
"""An episode that counts. The score of one that was cut is not known (NaN), its return and length are those so far."""


class Tally:
    """The episodes of the worlds of one seed; every agent of every world has a slot."""

    def __init__(self, worlds: int, agents: int, rounds: int) -> None:
        """The first `rounds` episodes of each of `agents` agents in each of `worlds` worlds count."""
        self.agents = agents
        self.rounds = rounds
        self.finished = np.zeros(worlds * agents, np.int64)
        """How many episodes of each slot have ended, (worlds * agents,)."""
        self._counted: list[NDArray[np.void]] = []
        self.count = self.steps = 0
        """Episodes counted so far, and their agent steps."""

    @property
    def unfinished(self) -> NDArray[np.bool_]:
        """Worlds in which somebody has episodes left that count, (worlds,)."""
        least = self.finished.reshape(-1, self.agents).min(axis=1)
        left: NDArray[np.bool_] = np.asarray(least < self.rounds)
        return left

    def add(self, episodes: NDArray[np.void], worlds: NDArray[np.intp]) -> None:
        """Takes in finished episodes (`EPISODE`), in order; `worlds` says which one is played at each place."""
        if not len(episodes):
            return
        place, agent = np.divmod(episodes["agent"].astype(np.int64), self.agents)
        slots = worlds[place] * self.agents + agent
        order = np.argsort(slots, kind="stable")
        slots, episodes = slots[order], episodes[order]
        firsts = np.flatnonzero(np.r_[True, slots[1:] != slots[:-1]])
        sizes = np.diff(np.r_[firsts, len(slots)])
        number = self.finished[slots] + np.arange(len(slots)) - np.repeat(firsts, sizes)
        self.finished[slots[firsts]] += sizes
        counts = number < self.rounds
        self._keep(
            slots[counts] // self.agents,
            episodes["score"][counts],
            episodes["episode_return"][counts],
            episodes["length"][counts],
            cut=False,
        )

    def cut(
        self,
        returns: NDArray[np.float64],
        lengths: NDArray[np.int64],
        worlds: NDArray[np.intp],
    ) -> None:
        """Takes in the episodes that are still running and would count, (places * agents,): as far as they have come."""
        slots = (worlds[:, None] * self.agents + np.arange(self.agents)).ravel()
        counts = (self.finished[slots] < self.rounds) & (lengths > 0)
        self._keep(
            slots[counts] // self.agents,
            np.full(int(counts.sum()), np.nan),
            returns[counts],
            lengths[counts],
            cut=True,
        )

    def counted(self) -> NDArray[np.void]:
        """What was counted (`COUNTED`)."""
        return np.concatenate([np.empty(0, COUNTED), *self._counted])

    def _keep(
        self,
        worlds: NDArray[np.int64],
        scores: NDArray[np.floating],
        returns: NDArray[np.floating],
        lengths: NDArray[np.integer],
        *,
        cut: bool,
    ) -> None:
        part = np.empty(len(worlds), COUNTED)
        part["world"], part["score"], part["episode_return"] = worlds, scores, returns
        part["length"], part["cut"] = lengths, cut
        self._counted.append(part)
        self.count += len(part)
        self.steps += int(part["length"].sum())
