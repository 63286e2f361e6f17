"""Several curves in one chart: each in its own colour, the first one on top, with their bands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pufftui.appearance.line import Line
from pufftui.appearance.theme import PuffTheme
from pufftui.charts import raster
from pufftui.charts.plot import GRID, SMOOTHING, SPACE
from pufftui.series import ticks
from pufftui.series.axis import Axis, ruler
from pufftui.series.curve import Series
from pufftui.series.labels import labels

Floats = NDArray[np.floating[Any]]

MARGIN = 7
"""Columns left of the chart for the labels of the y axis, such as -0.125; more where they must."""

FEW = 2
"""So many curves have room for their raw points behind them."""

BAND_TINT = 0.22
PALE = 0.4

GROUND, FAINT = 0, 0


@dataclass(frozen=True, slots=True, eq=False)
class Overlaid:
    """A curve with its band and the name of its colour in the theme."""

    series: Series
    colour: str
    band: tuple[Series, Series] | None = None


def overlay(
    look: PuffTheme,
    curves: Sequence[Overlaid],
    width: int,
    height: int,
    *,
    axis: Axis = Axis.STEPS,
) -> list[Line]:
    """A chart of `width` x `height` cells of curves that are not all empty."""
    rows = height - 1
    margin = MARGIN
    cut = _Cut.of(curves, axis, width - margin)
    bottom, top, gap = _limits(cut.seen, parts=max(1, min(6, rows // 4)))
    numbers = ticks.multiples(bottom / gap, top / gap)
    heights = np.array(numbers) * gap
    texts = labels(heights.tolist(), gap)
    if (wanted := max(map(len, texts)) + 1) > margin:
        margin = min(wanted, width - 1)
        cut = _Cut.of(curves, axis, width - margin)
    columns, bands = width - margin, cut.bands

    letters = np.full((rows, columns), SPACE, np.uint32)
    front = np.full((rows, columns), FAINT)
    back = np.full((rows, columns), GROUND)
    tick_rows = raster.rows_of(heights, bottom, top, rows * raster.DOTS_HIGH) // raster.DOTS_HIGH
    letters[tick_rows] = GRID
    order = range(len(curves))[::-1]
    for at in order:
        if (band := bands[at]) is not None:
            back[_covered(*band, bottom, top, rows)] = at + 1
    for at in order:
        raw, smooth = cut.raw[at], cut.smooth[at]
        strokes = [(raw.low, raw.high, 1, 2 * at + 1)] if cut.few and not bands[at] else []
        for low, high, thickness, colour in [*strokes, (smooth, smooth, 2, 2 * at + 2)]:
            dots = raster.line(low, high, bottom, top, rows, thickness)
            letters[dots > 0] = dots[dots > 0] + np.uint32(raster.BRAILLE)
            front[dots > 0] = colour

    fronts = ["faint"]
    for curve in curves:
        fronts += [look.mix(curve.colour, "surface", PALE), curve.colour]
    backs = ["surface", *(look.mix(curve.colour, "surface", BAND_TINT) for curve in curves)]
    by_row = dict(zip(tick_rows.tolist(), texts, strict=True))
    dim = look.style("dim")
    lines: list[Line] = []
    for row in range(rows):
        text = raster.text_of(letters[row])
        line: Line = [(by_row.get(row, "").rjust(margin - 1)[: margin - 1] + " ", dim)]
        for start, stop, code in raster.runs(front[row] * len(backs) + back[row]):
            colours = fronts[code // len(backs)], backs[code % len(backs)]
            line.append((text[start:stop], look.style(*colours)))
        lines.append(line)
    return [*lines, [(" " * margin + ruler(axis, 0.0, cut.end, columns), dim)]]


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """All curves in as many stretches as there are columns of dots, from 0 to `end` on the axis."""

    end: float
    raw: list[raster.Columns]
    smooth: list[Floats]
    bands: list[tuple[Floats, Floats] | None]

    @classmethod
    def of(cls, curves: Sequence[Overlaid], axis: Axis, columns: int) -> _Cut:
        lasts = (float(curve.series.x[-1]) for curve in curves if len(curve.series))
        furthest = max(lasts, default=0.0) or 1.0
        step = axis.step(furthest, columns)
        # The last curve ends near the edge; an end that is a round number rarely moves.
        end = math.ceil(furthest / step * 4 - 1e-9) * step / 4
        raw = [raster.cut(curve.series, 0, end, columns * raster.DOTS_WIDE) for curve in curves]
        return cls(
            end,
            raw,
            [raster.smoothed(cut.mean, SMOOTHING) for cut in raw],
            [_cut_band(curve, end, columns) for curve in curves],
        )

    @property
    def few(self) -> bool:
        """Whether raw points have room behind the curves."""
        return len(self.raw) <= FEW

    @property
    def seen(self) -> list[Floats]:
        """Everything that must be in sight."""
        limits = [limit for band in self.bands if band for limit in band]
        points = [limit for cut in self.raw for limit in (cut.low, cut.high)] if self.few else []
        return [*self.smooth, *limits, *points]


def _cut_band(curve: Overlaid, end: float, columns: int) -> tuple[Floats, Floats] | None:
    if curve.band is None:
        return None
    low, high = (
        raster.smoothed(raster.cut(limit, 0, end, columns).mean, SMOOTHING // 2)
        for limit in curve.band
    )
    return low, high


def _limits(seen: Sequence[Floats], parts: int) -> tuple[float, float, float]:
    known = [values[~np.isnan(values)] for values in seen]
    everything = np.concatenate(known) if known else np.empty(0)
    if not len(everything):
        return 0.0, 1.0, 0.5
    return ticks.nice_range(float(everything.min()), float(everything.max()), parts)


def _covered(low: Floats, high: Floats, bottom: float, top: float, rows: int) -> NDArray[np.bool_]:
    """The cells (rows, columns) of which a band covers a good third or more."""
    scale = rows / (top - bottom)
    floor = np.arange(rows)[::-1, None]
    under = np.clip((low - bottom) * scale - floor, 0, 1)
    over = np.clip((high - bottom) * scale - floor, 0, 1)
    share: NDArray[np.bool_] = np.nan_to_num(over - under) > 0.35
    return share
