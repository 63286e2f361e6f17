"""Plays an evaluation: seed after seed, every world until all of its episodes that count have ended."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.cores import available_cores
from pufftui.envs.errors import PuffError
from pufftui.envs.library import EnvLibrary
from pufftui.envs.vector import VectorEnv
from pufftui.trainer.evaluation.plan import STEPS, Plan
from pufftui.trainer.evaluation.players import MakePlayer, Player, RandomPlayer, greedy
from pufftui.trainer.evaluation.tally import COUNTED, Tally
from pufftui.trainer.messages.weights import PolicyWeights

FIRST_SEED = 0x65766131
"""The seed of the first worlds: far from those of training, which begin at 0, so that nobody plays what it has learned by heart."""

AGENTS_A_THREAD = 64
"""Those of one block of environments, which one thread takes from step to step."""


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """What came of it: `counted` (`COUNTED`) with the worlds numbered over all `seeds` that were played.

    `steps` are the agent steps of those episodes, `seconds` what they took. `whole` is whether nobody stopped it; else
    only seeds that were played to their end are in it, unless there is none: then what has ended of the
    first, and the short ones end first (`biased`).
    """

    plan: Plan
    counted: NDArray[np.void]
    seeds: int
    seconds: float
    whole: bool
    biased: bool = False

    @property
    def steps(self) -> int:
        """Agent steps of what was counted."""
        return int(self.counted["length"].sum())

    @property
    def cut(self) -> int:
        """How many were not played to their end."""
        return int(self.counted["cut"].sum())


Progress = Callable[[int, int], None]
"""Is told the episodes that are counted so far, and the agent steps. With a window, in which none is counted before its
end, the episodes are the share of it that is over."""


class EpisodesLost(Exception):  # noqa: N818 - what has happened
    """So many episodes ended at once that the vectoriser could not keep all."""


def player_of(
    weights: PolicyWeights | None,
    *,
    is_greedy: bool = False,
    precision: str = "auto",
    device: str = "cpu",
) -> Callable[[int], MakePlayer]:
    """Makes players that look at the games after so many steps: of a policy, or of random moves if there is none."""
    if weights is None:
        return lambda _steps: RandomPlayer
    if is_greedy:
        weights = greedy(weights)
    playing = importlib.import_module("pufftui.trainer.training.playing")
    more = {"weights": weights, "precision": precision, "device": device}
    return lambda steps: partial(playing.RolloutPlayer, steps=steps, **more)


def evaluate(
    library: EnvLibrary,
    parameters: Mapping[str, float],
    plan: Plan,
    players: Callable[[int], MakePlayer],
    *,
    threads: int = 0,
    progress: Progress = lambda _episodes, _steps: None,
    interrupted: Callable[[], bool] = lambda: False,
) -> Played:
    """Plays the plan, on at most so many threads, 0 for as many as there are cores. The same plan plays the same worlds, whoever plays: results can be compared world by world."""
    began = time.perf_counter()
    done: list[NDArray[np.void]] = []
    whole = biased = False
    used = min(threads or available_cores(), max(1, plan.worlds * plan.agents // AGENTS_A_THREAD))
    for seed in range(plan.seeds):
        one = _Seed(library, parameters, plan, FIRST_SEED + seed, used)
        whole = one.play(players, _beyond(progress, done), interrupted)
        counted = one.counted
        if not whole:
            if done:
                break
            biased = True
        counted["world"] += seed * plan.worlds
        done.append(counted)
        if not whole:
            break
    everything = np.concatenate([np.empty(0, COUNTED), *done])
    seconds = time.perf_counter() - began
    return Played(plan, everything, len(done), seconds, whole, biased)


def _beyond(progress: Progress, done: list[NDArray[np.void]]) -> Progress:
    """Tells of a seed beside those that are done."""
    episodes, steps = sum(map(len, done)), sum(int(part["length"].sum()) for part in done)
    return lambda more, played: progress(episodes + more, steps + played)


class _Seed:
    """The worlds of one seed."""

    def __init__(
        self,
        library: EnvLibrary,
        parameters: Mapping[str, float],
        plan: Plan,
        seed: int,
        threads: int,
    ) -> None:
        self._plan, self._seed = plan, seed
        self._new_vector = partial(
            VectorEnv, library, parameters, environments=plan.worlds, threads=threads, seed=seed
        )
        self.counted = np.empty(0, COUNTED)

    def play(
        self,
        players: Callable[[int], MakePlayer],
        progress: Progress,
        interrupted: Callable[[], bool],
    ) -> bool:
        """Plays to the end; `False` if `interrupted` said so."""
        steps = STEPS
        while True:
            player = players(steps)(self._new_vector(), self._seed)
            try:
                play = self._window if self._plan.window else self._episodes
                return play(player, steps, progress, interrupted)
            except EpisodesLost:
                if steps == 1:
                    raise PuffError(
                        f"More episodes of {player.vector.descriptor.name} end in one step than can be counted.",
                        "Look whether it ends episodes that have not begun: pufftui env check.",
                    ) from None
                steps = max(1, steps // 4)  # Anew, and looking more often.
            finally:
                player.close()

    def _episodes(
        self, player: Player, steps: int, progress: Progress, interrupted: Callable[[], bool]
    ) -> bool:
        plan = self._plan
        tally, worlds = Tally(plan.worlds, plan.agents, plan.rounds), np.arange(plan.worlds)
        played, whole = 0, True
        while len(worlds) and played < plan.cap:
            if not player.play(steps, interrupted):
                whole = False
                break
            played += steps
            tally.add(_finished(player.vector), worlds)
            progress(tally.count, tally.steps)
            left = np.flatnonzero(tally.unfinished[worlds])
            if len(left) and len(left) <= player.room * len(worlds):
                player, worlds = player.only(left), worlds[left]
            elif not len(left):
                worlds = worlds[left]
        if len(worlds) and whole:
            tally.cut(*player.vector.running(), worlds)
        self.counted = tally.counted()
        return whole

    def _window(
        self, player: Player, steps: int, progress: Progress, interrupted: Callable[[], bool]
    ) -> bool:
        """What every agent earns in exactly so many steps, the living included."""
        plan = self._plan
        slots = plan.worlds * plan.agents
        returns, lengths = np.zeros(slots), np.zeros(slots, np.int64)
        played = 0
        while played < plan.cap:
            if not player.play(steps, interrupted):
                return False
            played += steps
            finished = _finished(player.vector)
            np.add.at(returns, finished["agent"], finished["episode_return"])
            np.add.at(lengths, finished["agent"], finished["length"])
            running = player.vector.running()
            progress(slots * played // plan.cap, int(lengths.sum() + running[1].sum()))
        self.counted = np.empty(slots, COUNTED)
        self.counted["world"] = np.arange(slots) // plan.agents
        self.counted["score"] = np.nan
        self.counted["episode_return"] = returns + running[0]
        self.counted["length"] = lengths + running[1]
        self.counted["cut"] = running[1] > 0
        return True


def _finished(vector: VectorEnv) -> NDArray[np.void]:
    report = vector.drain()
    if report.dropped:
        raise EpisodesLost
    return report.episodes
