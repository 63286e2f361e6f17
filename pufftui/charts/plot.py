"""Charts as lines of coloured text, ready for the screen; everything slow is numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.style import Style

from pufftui.appearance.line import Line
from pufftui.appearance.theme import PuffTheme
from pufftui.charts import raster
from pufftui.charts.view import View
from pufftui.series.curve import Series

Floats = NDArray[np.floating[Any]]

LABELS = 6
"""Columns left of a chart for the labels of its y axis."""

SPACE, GRID, UPRIGHT = ord(" "), ord("┄"), ord("┊")
RISING = np.array([ord(character) for character in " ▁▂▃▄▅▆▇█"], np.uint32)

SMOOTHING = 2
"""Columns of dots at either side that the curve of a comparison takes the mean of."""

BAND = 0.85
"""How strongly a band is tinted: fainter than any curve in it."""

DASH, GAP = 2, 1
"""Cells of a dashed line that are drawn, and left out."""

FILL = 0.16
"""How strongly the area below a curve is tinted at the top of the chart."""


class Tints:
    """What the cells of a chart are painted with: names for numbers, and the theme's colours for them.

    The first half is for letters, the second, BEHIND, for what lies behind them.
    """

    FAINT, RAW, SMOOTH, BAND, GROUND, EARLIER = range(6)
    BEHIND_NOTHING, BEHIND_BAND, BEHIND_FILL, BEHIND_CURSOR = range(4)
    GROUNDS = 4

    def __init__(self, colour: str) -> None:
        """`colour` names that of the curve."""
        self._colour = colour
        self._marks: list[str] = []

    def mark(self, colour: str) -> int:
        """The number of one more colour of letters."""
        if colour not in self._marks:
            self._marks.append(colour)
        return self.EARLIER + 1 + self._marks.index(colour)

    def fronts(self, look: PuffTheme) -> list[str]:
        """The colours of letters by number."""
        pale = look.mix(self._colour, "surface", 0.45)
        earlier = look.mix("dim", "surface", 0.55)
        band = look.mix("band", "surface", BAND)
        marks = [look.mix(colour, "surface", 0.6) for colour in self._marks]
        return ["faint", pale, self._colour, band, "surface", earlier, *marks]

    def backs(self, look: PuffTheme, height: float) -> list[str]:
        """The colours behind letters by number; `height` is 0 at the top of the chart, 1 at its foot."""
        fill = look.mix(self._colour, "surface", round(FILL * (1 - 0.85 * height), 2))
        return [
            "surface",
            look.mix("band", "surface", BAND),
            fill,
            look.mix("text", "surface", 0.2),
        ]


@dataclass(slots=True, eq=False)
class Cells:
    """The cells of a chart, (rows, columns) each: a letter, its colour, what lies behind it."""

    letters: NDArray[np.uint32]
    front: NDArray[np.int64]
    back: NDArray[np.int64]

    @classmethod
    def blank(cls, rows: int, columns: int) -> Cells:
        """Nothing yet."""
        shape = (rows, columns)
        letters = np.full(shape, SPACE, np.uint32)
        return cls(letters, np.full(shape, Tints.SMOOTH), np.full(shape, Tints.BEHIND_NOTHING))

    def rule(self, row: int) -> None:
        """A faint line across."""
        self.letters[row], self.front[row] = GRID, Tints.FAINT

    def upright(self, column: int, colour: int) -> None:
        """A line from top to bottom, behind everything."""
        free = (self.letters[:, column] == SPACE) | (self.letters[:, column] == GRID)
        self.letters[free, column], self.front[free, column] = UPRIGHT, colour


def fill_below(cells: Cells, smooth: Floats, bottom: float, top: float) -> None:
    """Tints the cells whose middle lies below the curve."""
    rows = len(cells.letters)
    dots = raster.rows_of(smooth, bottom, top, rows * raster.DOTS_HIGH)
    # Where the curve ends amid a cell, as the band does, all of the cell belongs to it.
    there = ~np.isnan(smooth).reshape(-1, raster.DOTS_WIDE)
    lowest = np.where(there, dots.reshape(-1, raster.DOTS_WIDE), -1).max(axis=1)
    known = there.any(axis=1)
    middle = np.arange(rows)[:, None] * raster.DOTS_HIGH + raster.DOTS_HIGH // 2
    below = (middle > lowest) & known
    cells.back[below] = Tints.BEHIND_FILL
    gridded = below & (cells.letters == GRID)
    cells.letters[gridded] = SPACE
    cells.front[gridded] = Tints.SMOOTH


def put_line(
    cells: Cells,
    low: Floats,
    high: Floats,
    bottom: float,
    top: float,
    name: int,
    thickness: int = 1,
) -> NDArray[np.bool_]:
    """Puts a line of braille patterns over what is there and says which cells it lights."""
    dots = raster.line(low, high, bottom, top, len(cells.letters), thickness)
    lit: NDArray[np.bool_] = dots > 0
    cells.letters[lit] = dots[lit] + np.uint32(raster.BRAILLE)
    cells.front[lit] = name
    return lit


def dashed(values: Floats, first: int) -> tuple[Floats, Floats]:
    """A line up to a column of dots, and the rest of it in dashes; its last cell always belongs to one."""
    places = np.arange(len(values))
    known = np.flatnonzero(~np.isnan(values))
    last = int(known[-1]) if len(known) else 0
    cells = last // raster.DOTS_WIDE - places // raster.DOTS_WIDE
    drawn = cells % (DASH + GAP) < DASH
    late = places >= first
    return np.where(late, np.nan, values), np.where(late & drawn, values, np.nan)


def paint_band(
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
    cells.letters[upper_edge], cells.front[upper_edge] = RISING[over[upper_edge]], Tints.BAND
    cells.front[covered == 8] = Tints.SMOOTH
    cells.back[(covered >= 4) & ~upper_edge] = Tints.BEHIND_BAND
    much: NDArray[np.bool_] = covered >= 3
    return much


def paint(look: PuffTheme, cells: Cells, tints: Tints) -> list[Line]:
    """The cells as lines of coloured text."""
    rows, grounds = len(cells.letters), tints.GROUNDS
    fronts = tints.fronts(look)
    lines: list[Line] = []
    for row in range(rows):
        backs = tints.backs(look, row / rows)
        line: Line = []
        text = raster.text_of(cells.letters[row])
        for start, stop, code in raster.runs(cells.front[row] * grounds + cells.back[row]):
            line.append(
                (text[start:stop], look.style(fronts[code // grounds], backs[code % grounds]))
            )
        lines.append(line)
    return lines


def sparkline(
    look: PuffTheme, series: Series, colour: str, view: View, width: int, height: int
) -> list[Line]:
    """The smoothed curve alone, as large as its own range, without axes; up to its end if all is seen."""
    start, end = sparkline_span(series, view)
    cut = raster.cut(series, start, end, width * raster.DOTS_WIDE)
    smooth = raster.smoothed(cut.mean, view.reach)
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
    lines = trace(smooth, bottom, top, height, style)
    if view.cursor is None or not start <= view.cursor <= end:
        return lines
    column = min(int((view.cursor - start) / (end - start) * width), width - 1)
    behind = look.style(colour, look.mix("text", "surface", 0.2))
    return [_lit(line, column, behind) for line in lines]


def sparkline_span(series: Series, view: View) -> tuple[float, float]:
    """The first and the last place of a sparkline: where all is seen it ends with the curve."""
    start, end = view.span
    if view.window is None and len(series):
        end = max(float(series.x[-1]), 1e-9)
    return start, end


def _lit(line: Line, column: int, style: Style) -> Line:
    """A line of one stretch with one cell in another style."""
    ((text, usual),) = line
    return [(text[:column], usual), (text[column : column + 1], style), (text[column + 1 :], usual)]


def trace(values: Floats, bottom: float, top: float, height: int, style: Style) -> list[Line]:
    """Values as a plain line of dots, two to a cell in width and four in height."""
    dots = raster.line(values, values, bottom, top, height)
    letters = np.where(dots > 0, dots + np.uint32(raster.BRAILLE), SPACE).astype(np.uint32)
    return [[(raster.text_of(row), style)] for row in letters]


def profile(
    look: PuffTheme, values: Floats, colour: str, height: int, bottom: float, top: float
) -> list[Line]:
    """Values as a line with a tinted ground below it, two to a cell, without axes."""
    cells, tints = Cells.blank(height, len(values) // raster.DOTS_WIDE), Tints(colour)
    fill_below(cells, values, bottom, top)
    put_line(cells, values, values, bottom, top, tints.SMOOTH)
    return paint(look, cells, tints)
