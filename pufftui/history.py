"""The curves of a run in memory, read from the store a few rows at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pufftui.series import Growing, Metric, Series
from pufftui.trainer.store import MetricRows, StoreReader


class History:
    """All curves over the agent steps of a run."""

    def __init__(self) -> None:
        self._last = 0
        self._steps = Growing(np.float64)
        self._metrics: dict[str, Metric] = {}

    @property
    def steps(self) -> NDArray[np.float64]:
        """The step of every row, rising."""
        return self._steps.values

    @property
    def end(self) -> float:
        """The last step; 0 before the first row."""
        return float(self.steps[-1]) if len(self.steps) else 0.0

    def series(self, name: str) -> Series:
        """The curve of a metric; unknown in rows that lack it."""
        metric = self._metrics.get(name)
        if metric is None:
            return Series.of_points(self.steps, np.full(len(self.steps), np.nan))
        return metric.series(self.steps)

    def poll(self, reader: StoreReader) -> bool:
        """Takes in the rows written since the last call; True if there were any."""
        rows = reader.metrics_after(self._last)
        if not len(rows.steps):
            return False
        self._take(rows)
        return True

    def _take(self, rows: MetricRows) -> None:
        self._last = rows.last
        # After a roll-back the steps begin again earlier: the abandoned stretch is left out.
        least_from_here = np.minimum.accumulate(rows.steps[::-1])[::-1]
        kept = np.append(rows.steps[:-1] < least_from_here[1:], True)
        steps = rows.steps[kept].astype(np.float64)
        length = int(np.searchsorted(self.steps, steps[0], "left"))
        if length < len(self.steps):
            self._steps.cut(length)
            for metric in self._metrics.values():
                metric.cut(length)
        for name in rows.values:
            if name not in self._metrics:
                self._metrics[name] = Metric(length)
        for name, metric in self._metrics.items():
            given = rows.values.get(name)
            missing = np.full(len(steps), np.nan, np.float32)
            metric.append(missing if given is None else given[kept])
        self._steps.append(steps)
