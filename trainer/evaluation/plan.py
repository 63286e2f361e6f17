"""How many copies of an environment are played, how often, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pufftui.envs.library import EnvLibrary

LEAST_WORLDS = 20
"""Copies in all, if so many episodes are wanted: what happens in one world is one observation, whoever lives in it,
and fewer of them tell little about chance."""

MOST_AGENTS = 4096
MOST_STATES = 1 << 30
"""Agents that are played at once, and bytes of all their worlds: copies beyond that play several times."""

STEPS = 32
"""Steps from one look at the finished episodes to the next, unless some were lost: the vectoriser keeps no more than
512 of a block of agents. All lengths of play are multiples."""

CAP = 8000 * STEPS
"""Steps of one episode after which it is cut: more than any game in the box can last."""


@dataclass(frozen=True, slots=True)
class Plan:
    """For each of `seeds` seeds so many `worlds`, in which each of `agents` agents plays `rounds` episodes.

    A world is stopped after `cap` steps. With `window` everybody plays exactly so many steps instead, and the
    episodes in them are not counted.
    """

    seeds: int
    worlds: int
    agents: int
    rounds: int
    cap: int
    window: bool = False

    @property
    def episodes_per_seed(self) -> int:
        """What is counted of one seed."""
        return self.worlds * self.agents * self.rounds

    @property
    def episodes(self) -> int:
        """What is counted in all."""
        return self.seeds * self.episodes_per_seed


def make_plan(
    library: EnvLibrary,
    parameters: Mapping[str, float],
    *,
    episodes: int,
    seeds: int,
    cap: int = CAP,
    window: int | None = None,
) -> Plan:
    """At least `episodes` episodes, rounded up to whole worlds; `cap` is in steps of one episode.

    With a `window`, in steps, as many agents as there would be episodes. Both are rounded up to multiples of
    `STEPS`.
    """
    agents = library.descriptor_with(parameters).agents
    wanted = -(-episodes // seeds)
    worlds = max(-(-wanted // agents), min(-(-LEAST_WORLDS // seeds), wanted))
    room = min(MOST_AGENTS // agents, MOST_STATES // library.state_bytes(parameters))
    worlds = min(worlds, max(room, 1))
    if window is not None:
        return Plan(seeds, worlds, agents, 1, _rounded_up(window), window=True)
    rounds = -(-wanted // (worlds * agents))
    return Plan(seeds, worlds, agents, rounds, _rounded_up(cap) * rounds)


def _rounded_up(steps: int) -> int:
    return -(-steps // STEPS) * STEPS
