"""Curves as cells: numpy arrays in, braille and block patterns out; the cost hardly grows with N."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64] | NDArray[np.float32]

BRAILLE = 0x2800
DOTS_WIDE, DOTS_HIGH = 2, 4
DOT_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], np.uint8)


def envelope(
    x: Floats, y: Floats, start: float, end: float, columns: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Least and greatest `y` in each of `columns` equal stretches of `x`, which must not fall.

    NaN values of `y` are left out. A stretch without points takes the straight line between its
    neighbours, so that few points still make a curve; outside the data it is NaN.
    """
    low = np.full(columns, np.nan)
    high = np.full(columns, np.nan)
    if not len(x) or end <= start:
        return low, high
    borders = np.searchsorted(x, np.linspace(start, end, columns + 1)[:-1], "left")
    borders = np.append(borders, np.searchsorted(x, end, "right"))
    filled = borders[1:] > borders[:-1]
    if filled.any():
        first, inside = borders[:-1][filled], y[: borders[-1]]
        low[filled] = np.fmin.reduceat(inside, first)
        high[filled] = np.fmax.reduceat(inside, first)
    _bridge(low)
    _bridge(high)
    return low, high


def _bridge(values: NDArray[np.float64]) -> None:
    """Fills the gaps between known values with straight lines, in place."""
    known = np.flatnonzero(~np.isnan(values))
    if 1 < len(known) < known[-1] - known[0] + 1:
        inside = np.arange(known[0], known[-1] + 1)
        values[inside] = np.interp(inside, known, values[known])


def rows_of(values: NDArray[np.float64], low: float, high: float, rows: int) -> NDArray[np.int64]:
    """The row, 0 at the top, on which each value lies; values outside are moved to the edge."""
    share = (values - low) / (high - low) if high > low else np.full(values.shape, 0.5)
    row = np.rint((1 - np.nan_to_num(share)) * (rows - 1))
    return np.clip(row, 0, rows - 1).astype(np.int64)


def line(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    bottom: float,
    top: float,
    rows: int,
    thickness: int = 1,
) -> NDArray[np.uint8]:
    """Braille patterns (rows, columns // 2) of an unbroken line through an envelope."""
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
    last[:-1] = np.where(down, middle_down, last[:-1])
    first[1:] = np.where(down, middle_down + 1, first[1:])
    first[:-1] = np.where(up, middle_up + 1, first[:-1])
    last[1:] = np.where(up, middle_up, last[1:])
    dot = np.arange(rows * DOTS_HIGH)[:, None]
    lit = (dot >= first) & (dot <= last) & known
    cells = lit.reshape(rows, DOTS_HIGH, columns // DOTS_WIDE, DOTS_WIDE)
    return np.einsum("ydxc,dc->yx", cells, DOT_BITS, dtype=np.uint8, casting="unsafe")


def columns(values: NDArray[np.float64], low: float, high: float, rows: int) -> NDArray[np.uint8]:
    """Bars from the bottom up: eighths of a cell that are filled, (rows, columns), 0 to 8.

    A known value fills at least one eighth, so that a zero is not mistaken for a hole.
    """
    span = high - low if high > low else 1.0
    known = ~np.isnan(values)
    share = np.clip(np.nan_to_num((values - low) / span), 0, 1)
    eighths = np.where(known, np.maximum(np.rint(share * rows * 8), 1), 0)
    above = np.arange(rows)[::-1, None] * 8
    return np.clip(eighths - above, 0, 8).astype(np.uint8)


def nice_step(span: float, parts: int) -> float:
    """A round number (1, 2, 2.5 or 5 times a power of ten) that divides `span` into about `parts`."""
    raw = max(span, 1e-12) / max(parts, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    return next(power * unit for unit in (1, 2, 2.5, 5, 10) if power * unit >= raw * 0.999)


def nice_range(low: float, high: float, parts: int) -> tuple[float, float, float]:
    """Limits around [low, high], a step between ticks, and limits that rarely move.

    Returns (bottom, top, step): ticks lie at multiples of `step`, limits at quarters of it.
    """
    if not high > low:
        margin = abs(high) * 0.1 or 1.0
        low, high = low - margin, high + margin
    step = nice_step(0.75 * (high - low), parts)
    quarter = step / 4
    return (
        math.floor(low / quarter + 1e-9) * quarter,
        math.ceil(high / quarter - 1e-9) * quarter,
        step,
    )


def nice_end(value: float) -> float:
    """The next round number at or above a positive value; an axis that ends there rarely moves."""
    power = 10.0 ** math.floor(math.log10(max(value, 1e-9)))
    units = (1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
    return next(power * unit for unit in units if power * unit >= value * (1 - 1e-9))


def text_of(codes: NDArray[np.uint32]) -> str:
    """One row of code points as text."""
    return codes.astype("<u4").tobytes().decode("utf-32-le")


def runs(values: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """Stretches of equal values: (start, end, value)."""
    borders = np.flatnonzero(values[1:] != values[:-1]) + 1
    edges = [0, *borders.tolist(), len(values)]
    return [(a, b, int(values[a])) for a, b in zip(edges, edges[1:], strict=False)]
