"""Curves as cells: numpy arrays in, braille and block patterns out; the cost hardly grows with N."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pufftui.series.curve import Series

Floats = NDArray[np.floating[Any]]

BRAILLE = 0x2800
DOTS_WIDE, DOTS_HIGH = 2, 4
DOT_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """A curve cut into equal stretches of x: its least, greatest and mean value in each.

    A stretch without points lies on the straight line between its neighbours, so that few points
    still make a curve; outside the data it is NaN.
    """

    low: Floats
    high: Floats
    mean: Floats


def cut(series: Series, start: float, end: float, columns: int) -> Columns:
    """Cuts a curve between `start` and `end` into columns."""
    low, high, mean = np.full((3, columns), np.nan)
    if len(series) and end > start:
        borders = np.searchsorted(series.x, np.linspace(start, end, columns + 1)[:-1], "left")
        borders = np.append(borders, np.searchsorted(series.x, end, "right"))
        filled = borders[1:] > borders[:-1]
        if filled.any():
            first, last = borders[:-1][filled], borders[-1]
            low[filled] = np.fmin.reduceat(series.low[:last], first)
            high[filled] = np.fmax.reduceat(series.high[:last], first)
            total = np.add.reduceat(series.total[:last], first, dtype=np.float64)
            count = np.add.reduceat(series.count[:last], first)
            mean[filled] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        for values in (low, high, mean):
            _bridge(values)
    return Columns(low, high, mean)


def smoothed(values: Floats, reach: int) -> Floats:
    """The mean of each value and its `reach` neighbours at either side; fewer towards the ends.

    NaN values are left out of all means and stay NaN.
    """
    window = np.ones(2 * reach + 1)
    known = ~np.isnan(values)
    inside = slice(reach, reach + len(values))
    total = np.convolve(np.where(known, values, 0), window)[inside]
    count = np.convolve(known, window)[inside]
    return np.where(known, total / np.maximum(count, 1), np.nan)


def _bridge(values: Floats) -> None:
    """Fills the gaps between known values with straight lines, in place."""
    known = np.flatnonzero(~np.isnan(values))
    if 1 < len(known) < known[-1] - known[0] + 1:
        inside = np.arange(known[0], known[-1] + 1)
        values[inside] = np.interp(inside, known, values[known])


def rows_of(values: Floats, low: float, high: float, rows: int) -> NDArray[np.int64]:
    """The row, 0 at the top, on which each value lies; values outside are moved to the edge."""
    share = (values - low) / (high - low) if high > low else np.full(values.shape, 0.5)
    row = np.rint((1 - np.nan_to_num(share)) * (rows - 1))
    inside: NDArray[np.int64] = np.clip(row, 0, rows - 1).astype(np.int64)
    return inside


def line(
    low: Floats,
    high: Floats,
    bottom: float,
    top: float,
    rows: int,
    thickness: int = 1,
) -> NDArray[np.uint8]:
    """Braille patterns (rows, columns // 2) of an unbroken line from `low` to `high`."""
    columns = len(low)
    known = ~np.isnan(low)
    first = rows_of(high, bottom, top, rows * DOTS_HIGH)
    last = rows_of(low, bottom, top, rows * DOTS_HIGH)
    last = np.minimum(last + thickness - 1, rows * DOTS_HIGH - 1)
    # Where two neighbours do not touch, each goes half of the way.
    both = known[1:] & known[:-1]
    down = both & (first[1:] > last[:-1] + 1)
    up = both & (last[1:] < first[:-1] - 1)
    middle_down = (last[:-1] + first[1:]) // 2
    middle_up = (first[:-1] + last[1:]) // 2
    last[:-1] = np.where(down, np.maximum(last[:-1], middle_down), last[:-1])
    first[1:] = np.where(down, np.minimum(first[1:], middle_down + 1), first[1:])
    first[:-1] = np.where(up, np.minimum(first[:-1], middle_up + 1), first[:-1])
    last[1:] = np.where(up, np.maximum(last[1:], middle_up), last[1:])
    dot = np.arange(rows * DOTS_HIGH)[:, None]
    lit = (dot >= first) & (dot <= last) & known
    cells = lit.reshape(rows, DOTS_HIGH, columns // DOTS_WIDE, DOTS_WIDE)
    patterns: NDArray[np.uint8] = (cells * DOT_BITS[:, None, :]).sum(axis=(1, 3), dtype=np.uint8)
    return patterns


def text_of(codes: NDArray[np.uint32]) -> str:
    """One row of code points as text."""
    return codes.astype("<u4").tobytes().decode("utf-32-le")


def runs(values: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """Stretches of equal values: (start, end, value)."""
    borders = np.flatnonzero(values[1:] != values[:-1]) + 1
    edges = [0, *borders.tolist(), len(values)]
    return [(a, b, int(values[a])) for a, b in pairwise(edges)]
