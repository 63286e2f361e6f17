"""Several curves in one chart: each in its own colour, the first one on top, with their bands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pufftui.appearance.format import tick
from pufftui.appearance.line import Line
from pufftui.appearance.theme import PuffTheme
from pufftui.charts import raster
from pufftui.charts.plot import GRID, SMOOTHING, SPACE
from pufftui.series import ticks
from pufftui.series.axis import Axis, ruler
from pufftui.series.curve import Series

Floats = NDArray[np.floating[Any]]

MARGIN = 7
"""Columns left of the chart for the labels of the y axis, such as -0.125."""

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
    columns, rows = width - MARGIN, height - 1
    furthest = (
        max((float(curve.series.x[-1]) for curve in curves if len(curve.series)), default=0.0)
        or 1.0
    )
    step = axis.step(furthest, columns)
    # The last curve ends near the edge; an end that is a round number rarely moves.
    end = math.ceil(furthest / step * 4 - 1e-9) * step / 4
    cuts = [raster.cut(curve.series, 0, end, columns * raster.DOTS_WIDE) for curve in curves]
    smooth = [raster.smoothed(cut.mean, SMOOTHING) for cut in cuts]
    bands = [_cut_band(curve, end, columns) for curve in curves]
    raw = len(curves) <= FEW
    seen = [*smooth, *(limit for band in bands if band for limit in band)]
    if raw:
        seen += [limit for cut in cuts for limit in (cut.low, cut.high)]
    bottom, top, gap = _limits(seen, parts=max(1, min(6, rows // 4)))

    letters = np.full((rows, columns), SPACE, np.uint32)
    front = np.full((rows, columns), FAINT)
    back = np.full((rows, columns), GROUND)
    ticks = np.arange(math.ceil(bottom / gap - 1e-9), math.floor(top / gap + 1e-9) + 1) * gap
    tick_rows = raster.rows_of(ticks, bottom, top, rows * raster.DOTS_HIGH) // raster.DOTS_HIGH
    letters[tick_rows] = GRID
    order = range(len(curves))[::-1]
    for at in order:
        if (band := bands[at]) is not None:
            back[_covered(*band, bottom, top, rows)] = at + 1
    for at in order:
        strokes = [(cuts[at].low, cuts[at].high, 1, 2 * at + 1)] if raw and not bands[at] else []
        for low, high, thickness, colour in [*strokes, (smooth[at], smooth[at], 2, 2 * at + 2)]:
            dots = raster.line(low, high, bottom, top, rows, thickness)
            letters[dots > 0] = dots[dots > 0] + np.uint32(raster.BRAILLE)
            front[dots > 0] = colour

    fronts = ["faint"]
    for curve in curves:
        fronts += [look.mix(curve.colour, "surface", PALE), curve.colour]
    backs = ["surface", *(look.mix(curve.colour, "surface", BAND_TINT) for curve in curves)]
    labels = dict(zip(tick_rows.tolist(), map(tick, ticks.tolist()), strict=True))
    dim = look.style("dim")
    lines: list[Line] = []
    for row in range(rows):
        text = raster.text_of(letters[row])
        line: Line = [(labels.get(row, "").rjust(MARGIN - 1) + " ", dim)]
        for start, stop, code in raster.runs(front[row] * len(backs) + back[row]):
            colours = fronts[code // len(backs)], backs[code % len(backs)]
            line.append((text[start:stop], look.style(*colours)))
        lines.append(line)
    return [*lines, [(" " * MARGIN + ruler(axis, 0.0, end, columns), dim)]]


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
