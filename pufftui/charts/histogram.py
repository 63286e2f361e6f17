"""A distribution in letters: a bar for each stretch of values."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pufftui.appearance.format import figure, percent
from pufftui.appearance.glyphs import thick_bar

MOST_BARS = 8
BAR_WIDTH = 40


def histogram(values: NDArray[np.float64], bars: int = MOST_BARS) -> list[str]:
    """Lines from the lowest to the highest of the values that are known: from, to, bar, share.

    Empty without a value; one line if all are the same.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return []
    low, high = float(known.min()), float(known.max())
    if low == high or not math.isfinite(high - low):
        counts, edges = np.array([len(known)]), np.array([low, high])
    else:
        whole = bool((known == np.rint(known)).all()) and high - low < bars
        limits = (low - 0.5, high + 0.5) if whole else (low, high)
        counts, edges = np.histogram(known, round(high - low) + 1 if whole else bars, limits)
        if whole:  # A bar for each number that there is.
            edges = np.append(np.arange(low, high + 1), high)
            names = [figure(edge) for edge in edges[:-1].tolist()]
            return _lines(names, counts)
    ends = [figure(edge) for edge in edges.tolist()]
    width = max(map(len, ends))
    names = (
        [ends[0]]
        if ends[0] == ends[-1]
        else [f"{a.rjust(width)} – {b.rjust(width)}" for a, b in pairwise(ends)]
    )
    return _lines(names, counts)


def _lines(names: list[str], counts: NDArray[np.integer]) -> list[str]:
    width, most, total = max(map(len, names)), int(counts.max()), int(counts.sum())
    return [
        f"{name.rjust(width)}  {thick_bar(count / most, BAR_WIDTH)} {percent(count / total)}"
        for name, count in zip(names, counts.tolist(), strict=True)
    ]
