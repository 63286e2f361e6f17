"""What an evaluation says: figures with their intervals, by their public names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pufftui.envs.descriptor import Descriptor
from pufftui.trainer.evaluation.evaluate import Played
from pufftui.trainer.evaluation.interval import Mean, Sums, mean_of_worlds

FIGURES = {"score": "score", "return": "episode_return", "length": "length"}
"""What is counted of episodes, by public name, and where."""


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """How a policy plays. None is a figure that is not known, as the score of worlds without episodes.

    `by_seed` are the mean scores of the seeds, NaN where none is known; the figures are `FIGURES` and `perf`.
    """

    env: str
    policy: str
    greedy: bool
    played: Played
    figures: Mapping[str, Mean | None]
    by_seed: tuple[float, ...]

    def as_dict(self) -> dict[str, Any]:
        """By public names; numbers that are not known may be NaN."""
        return {
            "env": self.env,
            "policy": self.policy,
            "episodes": len(self.played.counted),
            "cut": self.played.cut,
            "steps": self.played.steps,
            "seconds": round(self.played.seconds, 3),
            "greedy": self.greedy,
            "seeds": self.played.seeds,
            **_named(self.figures),
        }


def conclude(played: Played, descriptor: Descriptor, policy: str, *, is_greedy: bool) -> Evaluation:
    """The figures of what was played."""
    figures = {name: mean_of_worlds(_sums(played, name)) for name in FIGURES}
    score = figures["score"]
    if score is not None:
        perf = [descriptor.perf(value) for value in (score.mean, score.low, score.high)]
        figures["perf"] = Mean(*perf)
    else:
        figures["perf"] = None
    scores = _sums(played, "score")
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = (
            part.reshape(-1, played.plan.worlds).sum(axis=1)
            for part in (scores.sums, scores.counts)
        )
        by_seed = np.divide(*parts)
    return Evaluation(descriptor.name, policy, is_greedy, played, figures, tuple(by_seed.tolist()))


def differences(one: Played, other: Played) -> dict[str, Mean | None]:
    """By how much each figure of one is above that of another who played the same plan, world by world."""
    seeds = min(one.seeds, other.seeds)
    return {
        name: mean_of_worlds(_sums(one, name, seeds), _sums(other, name, seeds)) for name in FIGURES
    }


def against_as_dict(one: Evaluation, other: Evaluation) -> dict[str, Any]:
    """Another player's figures by public names, and how much better the first one is."""
    return {
        "policy": other.policy,
        "episodes": len(other.played.counted),
        "cut": other.played.cut,
        **_named(other.figures),
        "difference": _named(differences(one.played, other.played)),
    }


def _named(figures: Mapping[str, Mean | None]) -> dict[str, Any]:
    return {name: mean and mean.as_dict() for name, mean in figures.items()}


def _sums(played: Played, name: str, seeds: int | None = None) -> Sums:
    """A figure by world, of the first so many seeds, or of all."""
    values = played.counted[FIGURES[name]].astype(np.float64)
    worlds = played.counted["world"]
    counts = ~(played.counted["cut"] & np.isnan(values))  # A score that is not known is no value.
    size = played.plan.worlds * (played.seeds if seeds is None else seeds)
    kept = counts & (worlds < size)
    if played.plan.window and name == "score":
        kept = np.zeros_like(kept)
    worlds, values = worlds[kept], values[kept]
    return Sums(
        np.bincount(worlds, values, size).astype(np.float64),
        np.bincount(worlds, minlength=size).astype(np.float64),
    )
