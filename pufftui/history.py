"""The curves of a run in memory, read from the store a few rows at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pufftui.trainer.store import MetricRows, StoreReader

SMOOTHING = 0.9
"""Weight that a smoothed curve keeps of its past at every row."""

BLOCK = 256
"""Rows smoothed in one numpy expression; 0.9 to this power is still far from zero."""


class Growing:
    """A one-dimensional array that is appended to; appending n values costs O(n) on average."""

    def __init__(self, dtype: type[np.float64] | type[np.float32]) -> None:
        self._space = np.empty(256, dtype)
        self._used = 0

    @property
    def values(self) -> NDArray[np.float64]:
        """A view of what is there; valid until the next change."""
        return self._space[: self._used]

    def append(self, values: NDArray[np.float64] | NDArray[np.float32]) -> None:
        needed = self._used + len(values)
        if needed > len(self._space):
            space = np.empty(max(needed, 2 * len(self._space)), self._space.dtype)
            space[: self._used] = self.values
            self._space = space
        self._space[self._used : needed] = values
        self._used = needed

    def cut(self, length: int) -> None:
        """Forgets all but the first `length` values."""
        self._used = min(self._used, length)


@dataclass(slots=True)
class Average:
    """A running average that starts unbiased and skips NaN: each row's weight falls by SMOOTHING."""

    total: float = 0.0
    weight: float = 0.0

    def extend(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """The average after each of `values`."""
        blocks = [self._block(values[i : i + BLOCK]) for i in range(0, len(values), BLOCK)]
        return np.concatenate(blocks) if blocks else np.empty(0)

    def _block(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        decay = SMOOTHING ** np.arange(1, len(values) + 1)
        known = ~np.isnan(values)
        totals = decay * (self.total + np.cumsum(np.where(known, values, 0) / decay))
        weights = decay * (self.weight + np.cumsum(known / decay))
        self.total, self.weight = float(totals[-1]), float(weights[-1])
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(weights > 0, totals / weights, np.nan)


class Curve:
    """One metric: `raw` as it was written, `smooth` beside it."""

    def __init__(self, missing: int) -> None:
        self.raw = Growing(np.float32)
        self.smooth = Growing(np.float64)
        self._average = Average()
        self.raw.append(np.full(missing, np.nan))
        self.smooth.append(np.full(missing, np.nan))

    def append(self, values: NDArray[np.float32]) -> None:
        self.raw.append(values)
        self.smooth.append(self._average.extend(values))

    def cut(self, length: int) -> None:
        self.raw.cut(length)
        self.smooth.cut(length)


class History:
    """All curves over the agent steps of a run. `version` changes whenever they do."""

    def __init__(self) -> None:
        self.version = 0
        self._last = 0
        self._steps = Growing(np.float64)
        self._curves: dict[str, Curve] = {}

    @property
    def steps(self) -> NDArray[np.float64]:
        """The step of every row, rising."""
        return self._steps.values

    def raw(self, name: str) -> NDArray[np.float64]:
        """A metric's values as written; NaN where a row lacks it."""
        return self._curves[name].raw.values if name in self._curves else self._nothing()

    def smooth(self, name: str) -> NDArray[np.float64]:
        """A metric's running average."""
        return self._curves[name].smooth.values if name in self._curves else self._nothing()

    def poll(self, reader: StoreReader) -> bool:
        """Takes in the rows written since the last call; True if there were any."""
        rows = reader.metrics_after(self._last)
        if not len(rows.steps):
            return False
        self._take(rows)
        self.version += 1
        return True

    def _take(self, rows: MetricRows) -> None:
        self._last = rows.last
        # After a roll-back the steps begin again earlier: the abandoned stretch is left out.
        kept = np.minimum.accumulate(rows.steps[::-1])[::-1] >= rows.steps
        steps = rows.steps[kept].astype(np.float64)
        length = int(np.searchsorted(self.steps, steps[0], "left"))
        if length < len(self.steps):
            self._steps.cut(length)
            for curve in self._curves.values():
                curve.cut(length)
        for name in rows.values:
            if name not in self._curves:
                self._curves[name] = Curve(length)
        for name, curve in self._curves.items():
            given = rows.values.get(name)
            curve.append(np.full(len(steps), np.nan, np.float32) if given is None else given[kept])
        self._steps.append(steps)

    def _nothing(self) -> NDArray[np.float64]:
        return np.full(len(self.steps), np.nan)
