"""Charts as lines of coloured text, ready for the screen; everything slow is numpy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.style import Style

from pufftui import raster
from pufftui.format import tick
from pufftui.series import Series
from pufftui.theme import PuffTheme

Line = list[tuple[str, Style]]
"""One line of the screen: stretches of text, each in one style."""

Floats = NDArray[np.floating[Any]]

LABELS = 6
"""Columns left of a chart for the labels of its y axis."""

SPACE, GRID = ord(" "), ord("┄")
RISING = np.array([ord(character) for character in " ▁▂▃▄▅▆▇█"], np.uint32)

# What a cell's letter is painted with, and what lies behind it.
FAINT, RAW, SMOOTH, BAND, GROUND = range(5)
BEHIND_NOTHING, BEHIND_BAND, BEHIND_FILL = range(3)
GROUNDS = 3

SMOOTHING = 2
"""Columns of dots at either side that a smoothed curve takes the mean of."""

FILL = 0.16
"""How strongly the area below a curve is tinted at the top of the chart."""


@dataclass(slots=True, eq=False)
class Cells:
    """The cells of a chart, (rows, columns) each: a letter, its colour, what lies behind it."""

    letters: NDArray[np.uint32]
    front: NDArray[np.int64]
    back: NDArray[np.int64]

    @classmethod
    def blank(cls, rows: int, columns: int) -> Cells:
        shape = (rows, columns)
        letters = np.full(shape, SPACE, np.uint32)
        return cls(letters, np.full(shape, SMOOTH), np.full(shape, BEHIND_NOTHING))


def chart(
    look: PuffTheme,
    series: Series,
    colour: str,
    width: int,
    height: int,
    *,
    band: tuple[Series, Series] | None = None,
    base: float | None = None,
    axes: bool = True,
    stroke: int = 2,
    points: bool = True,
) -> list[Line]:
    """A chart of `width` x `height` cells. `colour` names a colour of the theme.

    Between the two curves of `band` the ground is tinted. A value given as `base` is always in
    sight. Without axes the curve takes all of the space. The smoothed curve is `stroke` dots thick;
    without `points` it stands alone.
    """
    columns, rows = (width - LABELS, height - 1) if axes else (width, height)
    end = raster.nice_end(float(series.x[-1]))
    raw = raster.cut(series, 0, end, columns * raster.DOTS_WIDE)
    smooth = raster.smoothed(raw.mean, SMOOTHING)
    bottom, top, step = _limits(raw, base, parts=max(1, min(5, rows // 4)))
    cells = Cells.blank(rows, columns)
    first = math.ceil(bottom / step - 1e-9)
    ticks = np.arange(first, math.floor(top / step + 1e-9) + 1) * step
    tick_rows = raster.rows_of(ticks, bottom, top, rows * raster.DOTS_HIGH) // raster.DOTS_HIGH
    if axes:
        cells.letters[tick_rows], cells.front[tick_rows] = GRID, FAINT
    _fill(cells, smooth, bottom, top)
    tinted = np.zeros((rows, columns), bool)
    if band is not None:
        low, high = (
            raster.smoothed(raster.cut(limit, 0, end, columns).mean, SMOOTHING // 2)
            for limit in band
        )
        tinted = _paint_band(cells, low, high, bottom, top)
    strokes = [(RAW, raw.low, raw.high, 1)] if points else []
    for name, low, high, thickness in [*strokes, (SMOOTH, smooth, smooth, stroke)]:
        lit = _draw(cells, raster.line(low, high, bottom, top, rows, thickness), name)
        cells.back[lit & tinted] = BEHIND_BAND
    labels = dict(zip(tick_rows.tolist(), map(tick, ticks.tolist()), strict=True))
    lines = _lines(look, cells, colour)
    if not axes:
        return lines
    lines = [
        [(labels.get(row, "").rjust(LABELS - 1) + " ", look.style("dim")), *line]
        for row, line in enumerate(lines)
    ]
    return [*lines, [(" " * LABELS + _axis(end, columns), look.style("dim"))]]


def _limits(raw: raster.Columns, base: float | None, parts: int) -> tuple[float, float, float]:
    if np.isnan(raw.low).all():
        return 0.0, 1.0, 0.5
    least, most = float(np.nanmin(raw.low)), float(np.nanmax(raw.high))
    if base is not None:
        least, most = min(least, base), max(most, base)
    return raster.nice_range(least, most, parts)


def _fill(cells: Cells, smooth: Floats, bottom: float, top: float) -> None:
    """Tints the cells whose middle lies below the curve."""
    rows = len(cells.letters)
    dots = raster.rows_of(smooth, bottom, top, rows * raster.DOTS_HIGH)
    lowest = dots.reshape(-1, raster.DOTS_WIDE).max(axis=1)
    known = ~np.isnan(smooth).reshape(-1, raster.DOTS_WIDE).any(axis=1)
    middle = np.arange(rows)[:, None] * raster.DOTS_HIGH + raster.DOTS_HIGH // 2
    below = (middle > lowest) & known
    cells.back[below] = BEHIND_FILL
    cells.letters[below] = SPACE
    cells.front[below] = SMOOTH


def _draw(cells: Cells, dots: NDArray[np.uint8], name: int) -> NDArray[np.bool_]:
    """Puts braille patterns over what is there and says which cells they light."""
    lit: NDArray[np.bool_] = dots > 0
    cells.letters[lit] = dots[lit] + np.uint32(raster.BRAILLE)
    cells.front[lit] = name
    return lit


def _paint_band(
    cells: Cells, low: Floats, high: Floats, bottom: float, top: float
) -> NDArray[np.bool_]:
    """Fills between the band's limits and says which cells it covers to a good part.

    The upper edge is exact to an eighth of a cell.
    """
    rows = len(cells.letters)
    scale = rows * 8 / (top - bottom)
    above = np.arange(rows)[::-1, None] * 8
    under = np.clip(np.rint(np.nan_to_num((low - bottom) * scale)) - above, 0, 8).astype(int)
    over = np.clip(np.rint(np.nan_to_num((high - bottom) * scale)) - above, 0, 8).astype(int)
    covered = np.where(np.isnan(low), 0, over - under)
    upper_edge = (covered > 0) & (under == 0) & (over < 8)
    cells.letters[covered > 0] = SPACE
    cells.letters[upper_edge], cells.front[upper_edge] = RISING[over[upper_edge]], BAND
    cells.front[covered == 8] = SMOOTH
    cells.back[(covered >= 4) & ~upper_edge] = BEHIND_BAND
    much: NDArray[np.bool_] = covered >= 3
    return much


def _lines(look: PuffTheme, cells: Cells, colour: str) -> list[Line]:
    rows = len(cells.letters)
    pale = look.mix(colour, "surface", 0.45)
    fronts = ("faint", pale, colour, "band", "surface")
    lines: list[Line] = []
    for row in range(rows):
        fill = look.mix(colour, "surface", round(FILL * (1 - 0.85 * row / rows), 2))
        backs = ("surface", "band", fill)
        line: Line = []
        text = raster.text_of(cells.letters[row])
        for start, stop, code in raster.runs(cells.front[row] * GROUNDS + cells.back[row]):
            style = look.style(fronts[code // GROUNDS], backs[code % GROUNDS])
            line.append((text[start:stop], style))
        lines.append(line)
    return lines


def _axis(end: float, columns: int) -> str:
    """Labels of the x axis in agent steps; the last one names the unit."""
    step = raster.nice_step(end, max(3, columns // 12))
    cells = [" "] * columns
    for number in range(int(end / step + 1e-9) + 1):
        label = tick(number * step)
        at = round(number * step / end * (columns - 1)) - (len(label) // 2 if number else 0)
        if at + len(label) <= columns - 6:
            cells[at : at + len(label)] = label
    cells[columns - 5 :] = "steps"
    return "".join(cells)


def sparkline(look: PuffTheme, series: Series, colour: str, width: int, height: int) -> list[Line]:
    """The smoothed curve alone, as large as its own range, without axes."""
    end = float(series.x[-1]) if len(series) else 1.0
    cut = raster.cut(series, 0, end, width * raster.DOTS_WIDE)
    smooth = raster.smoothed(cut.mean, SMOOTHING)
    known = smooth[~np.isnan(smooth)]
    style = look.style(colour)
    if not len(known):
        return [[(" " * width, style)] for _ in range(height)]
    # The wild beginning of a run must not flatten everything after it.
    settled = known[len(known) // 8 :]
    bottom, top = float(settled.min()), float(settled.max())
    if top - bottom < 1e-9 * max(abs(top), 1e-9):
        bottom, top = bottom - 1, top + 1
    # The uppermost dots stay free, so that curves below each other do not touch.
    free, dots = min(height, 2), height * raster.DOTS_HIGH - 1
    top += (top - bottom) * free / (dots - free)
    return trace(smooth, bottom, top, height, style)


def trace(values: Floats, bottom: float, top: float, height: int, style: Style) -> list[Line]:
    """Values as a plain line of dots, two to a cell in width and four in height."""
    dots = raster.line(values, values, bottom, top, height)
    letters = np.where(dots > 0, dots + np.uint32(raster.BRAILLE), SPACE).astype(np.uint32)
    return [[(raster.text_of(row), style)] for row in letters]


def profile(
    look: PuffTheme, values: Floats, colour: str, height: int, bottom: float, top: float
) -> list[Line]:
    """Values as a line with a tinted ground below it, two to a cell, without axes."""
    cells = Cells.blank(height, len(values) // raster.DOTS_WIDE)
    _fill(cells, values, bottom, top)
    _draw(cells, raster.line(values, values, bottom, top, height), SMOOTH)
    return _lines(look, cells, colour)
