"""Means over the last finished episodes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.vector import EpisodeReport
from pufftui.trainer.messages.snapshot import INTERVAL_ERRORS, SCORE_EPISODES

WINDOW = SCORE_EPISODES
"""Episodes that a reported figure covers."""

ENOUGH = 100
"""Fewer finished episodes than this give no figure."""


class EpisodeStatistics:
    """A ring of the last `WINDOW` episodes: score, return, length and the env's statistics."""

    def __init__(self, statistics: tuple[str, ...]) -> None:
        self.names = ("score", "episode_return", "episode_length", *statistics)
        self.count = 0
        self._ring = np.zeros((WINDOW, len(self.names)))

    def add(self, report: EpisodeReport) -> None:
        """Takes in what has finished, in order; `count` includes episodes that were dropped."""
        newest = report.episodes[-WINDOW:]
        own = newest["statistics"][:, : len(self.names) - 3]
        rows = np.column_stack((newest["score"], newest["episode_return"], newest["length"], own))
        if len(rows):
            places = (self.count + report.count - len(rows) + np.arange(len(rows))) % WINDOW
            self._ring[places] = rows
        self.count += report.count

    def means(self) -> dict[str, float] | None:
        """The mean of each figure, None while too few episodes have finished."""
        if self.count < ENOUGH:
            return None
        return dict(zip(self.names, self._recent().mean(axis=0).tolist(), strict=True))

    def typical_longest(self) -> float | None:
        """The length that few of the episodes exceed: one in twenty."""
        if self.count < ENOUGH:
            return None
        return float(np.quantile(self._recent()[:, 2], 0.95))

    def score_interval(self) -> tuple[float, float] | None:
        """The 95 % confidence interval of the mean score (normal approximation)."""
        if self.count < ENOUGH:
            return None
        scores = self._recent()[:, 0]
        margin = INTERVAL_ERRORS * float(scores.std(ddof=1)) / math.sqrt(len(scores))
        middle = float(scores.mean())
        return middle - margin, middle + margin

    def state(self) -> dict[str, NDArray[np.float64]]:
        """What `restore` needs."""
        return {"ring": self._ring.copy(), "count": np.array(float(self.count))}

    def restore(self, state: dict[str, NDArray[np.float64]]) -> None:
        """Puts back what `state` returned; figures begin anew if an environment names others now."""
        if state["ring"].shape != self._ring.shape:
            return
        self._ring[:] = state["ring"]
        self.count = int(state["count"])

    def _recent(self) -> NDArray[np.float64]:
        return self._ring[: min(self.count, WINDOW)]
