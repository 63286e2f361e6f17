"""Long curves kept short: points are summed up in blocks as they arrive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64] | NDArray[np.float32]

BLOCK = 64
"""Points that are summed up in one stretch of a long curve."""

LONG = 16_384
"""Points from which a curve is given out in blocks."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """A curve as stretches of points: where each begins, and the points' limits, sum and number.

    `x` must not fall. A stretch whose points are all unknown has NaN limits and a count of 0.
    """

    x: Floats
    low: Floats
    high: Floats
    total: Floats
    count: NDArray[np.int64]

    @classmethod
    def of_points(cls, x: Floats, y: Floats) -> Series:
        """Every point a stretch of its own; NaN values of `y` are unknown."""
        known = ~np.isnan(y)
        return cls(x, y, y, np.where(known, y, 0), known.astype(np.int64))

    def __len__(self) -> int:
        return len(self.x)

    @property
    def newest(self) -> float | None:
        """The mean of the last stretch that is known."""
        known = np.flatnonzero(self.count)
        if not len(known):
            return None
        return float(self.total[known[-1]] / self.count[known[-1]])

    def over(self, x: Floats) -> Series:
        """The same values along another axis."""
        return Series(x, self.low, self.high, self.total, self.count)

    def followed_by(self, other: Series) -> Series:
        """Both, one after the other."""
        if not len(self):
            return other
        return Series(
            np.concatenate([self.x, other.x]),
            np.concatenate([self.low, other.low]),
            np.concatenate([self.high, other.high]),
            np.concatenate([self.total, other.total]),
            np.concatenate([self.count, other.count]),
        )

    @property
    def empty(self) -> bool:
        """Whether there is no known point."""
        return not self.count.any()


class Growing:
    """A one-dimensional array that is appended to; appending n values costs O(n) on average."""

    def __init__(self, dtype: type[np.float64 | np.float32 | np.int64]) -> None:
        self._space = np.empty(256, dtype)
        self._used = 0

    def __len__(self) -> int:
        return self._used

    @property
    def values(self) -> NDArray[Any]:
        """A view of what is there; valid until the next change."""
        return self._space[: self._used]

    def append(self, values: NDArray[Any]) -> None:
        needed = self._used + len(values)
        # Counters come as float64, and what the float32 values before them were they stay.
        kind = np.promote_types(self._space.dtype, values.dtype)
        if needed > len(self._space) or kind != self._space.dtype:
            space = np.empty(max(needed, 2 * len(self._space)), kind)
            space[: self._used] = self.values
            self._space = space
        self._space[self._used : needed] = values
        self._used = needed


class Metric:
    """The values of one metric and their blocks. Positions are rows of the history."""

    def __init__(self) -> None:
        self._points = Growing(np.float32)
        self._low, self._high = Growing(np.float32), Growing(np.float32)
        self._total, self._count = Growing(np.float64), Growing(np.int64)

    def __len__(self) -> int:
        return len(self._points)

    def append(self, values: NDArray[np.float32]) -> None:
        self._points.append(values)
        done = len(self._low) * BLOCK
        whole = len(self._points) // BLOCK * BLOCK
        if whole > done:
            blocks = self._points.values[done:whole].reshape(-1, BLOCK)
            known = ~np.isnan(blocks)
            self._low.append(np.fmin.reduce(blocks, axis=1))
            self._high.append(np.fmax.reduce(blocks, axis=1))
            self._total.append(np.where(known, blocks, 0).sum(axis=1, dtype=np.float64))
            self._count.append(known.sum(axis=1))

    def series(self, x: NDArray[np.float64]) -> Series:
        """The curve over `x`, which has as many values: point by point, or in blocks if long."""
        if len(self._points) < LONG:
            return Series.of_points(x, self._points.values)
        start = len(self._low) * BLOCK
        rest = Series.of_points(x[start:], self._points.values[start:])
        return Series(
            np.concatenate([x[:start:BLOCK], rest.x]),
            np.concatenate([self._low.values, rest.low]),
            np.concatenate([self._high.values, rest.high]),
            np.concatenate([self._total.values, rest.total]),
            np.concatenate([self._count.values, rest.count]),
        )
