"""The curves of a run in memory: what was there when it was opened, and what came since."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pufftui.series import LONG, Growing, Metric, Series
from pufftui.trainer.store import MetricRows, StoreReader


class History:
    """All curves over the agent steps of a run.

    The past of a long run is read in blocks, so that it opens at once however long it is; rows
    that are written from then on are kept one by one.
    """

    def __init__(self) -> None:
        self._open()

    def _open(self) -> None:
        self._last = self._lineage = 0
        self._past: dict[str, Series] = {}
        self._past_x = np.empty(0, np.float64)
        self._past_end = -np.inf
        self._steps = Growing(np.float64)
        self._metrics: dict[str, Metric] = {}

    @property
    def steps(self) -> NDArray[np.float64]:
        """The first step of every block of the past, then the step of every row; never falling."""
        return np.concatenate([self._past_x, self._steps.values])

    @property
    def names(self) -> list[str]:
        """The metrics that there are, in the order in which they came."""
        return list(dict.fromkeys([*self._past, *self._metrics]))

    @property
    def end(self) -> float:
        """The last step; 0 before the first row."""
        if len(self._steps):
            return float(self._steps.values[-1])
        return max(float(self._past_end), 0.0)

    def series(self, name: str) -> Series:
        """The curve of a metric; unknown in rows that lack it."""
        steps, metric = self._steps.values, self._metrics.get(name)
        past = self._past.get(name) or _unknown(self._past_x)
        recent = _unknown(steps) if metric is None else metric.series(steps)
        return past.followed_by(recent)

    def poll(self, reader: StoreReader) -> bool:
        """Takes in what was written since the last call; True if there was anything."""
        if not self._last:
            return self._take_past(reader)
        rows = reader.metrics_after(self._last)
        if not len(rows.steps):
            return False
        if (rows.lineages != self._lineage).any():
            # The run was resumed, perhaps at an earlier step: the store knows what is left.
            self._open()
            return self._take_past(reader)
        self._take(rows)
        return True

    def _take_past(self, reader: StoreReader) -> bool:
        blocks = reader.metrics_between(points=LONG)
        if not len(blocks.first_steps):
            return False
        self._last, self._lineage = blocks.last, int(blocks.lineages[-1])
        self._past_x = blocks.first_steps.astype(np.float64)
        self._past_end = float(blocks.last_steps[-1])
        for name, mean in blocks.mean.items():
            count = blocks.count[name]
            total = np.where(count > 0, mean.astype(np.float64) * count, 0)
            limits = blocks.low[name], blocks.high[name]
            self._past[name] = Series(self._past_x, *limits, total, count)
        return True

    def _take(self, rows: MetricRows) -> None:
        self._last = rows.last
        steps = rows.steps.astype(np.float64)
        for name in rows.values:
            if name not in self._metrics:
                self._metrics[name] = Metric(len(self._steps))
        for name, metric in self._metrics.items():
            given = rows.values.get(name)
            missing = np.full(len(steps), np.nan, np.float32)
            metric.append(missing if given is None else given)
        self._steps.append(steps)


def _unknown(x: NDArray[np.float64]) -> Series:
    return Series.of_points(x, np.full(len(x), np.nan))
