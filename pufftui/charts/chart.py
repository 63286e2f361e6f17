"""One chart of a run: a curve with all that belongs to it, seen as the view says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pufftui.appearance.line import Line
from pufftui.appearance.theme import PuffTheme
from pufftui.charts import raster
from pufftui.charts.marks import Mark
from pufftui.charts.plot import (
    LABELS,
    Cells,
    Floats,
    Tints,
    dashed,
    fill_below,
    paint,
    paint_band,
    put_line,
)
from pufftui.charts.view import View
from pufftui.series.axis import Axis, ruler
from pufftui.series.curve import Series
from pufftui.series.labels import labels
from pufftui.series.ticks import multiples, nice_range

EARLIER_LINES = 6
"""So many earlier runs are drawn at most."""

STROKE = 2
"""Dots that a smoothed curve is thick."""

LOG_PARTS = 5
LEAST_LOG = 1e-40


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """What one chart shows.

    `band` are the limits of a confidence interval, `earlier` the same metric of other runs and of the baseline, and
    `left` where this run has gone back over it, which does not stretch the y axis. A value given as
    `base` is always in sight. From `provisional` on, a place on the axis, the values are biased, and dashed. With
    `log`, values of zero and below are not seen.
    """

    series: Series
    colour: str
    band: tuple[Series, Series] | None = None
    base: float | None = None
    earlier: Sequence[Series] = ()
    left: Sequence[Series] = ()
    provisional: float = math.inf
    log: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """The y axis: limits of what is seen, and the labels by value. Logarithms if `log`."""

    bottom: float
    top: float
    labels: dict[float, str] = field(default_factory=dict)
    log: bool = False

    def of(self, values: Floats) -> Floats:
        """Values as they lie on this axis."""
        if not self.log:
            return values
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(values > LEAST_LOG, np.log10(np.maximum(values, LEAST_LOG)), np.nan)

    @property
    def margin(self) -> int:
        """Columns that the labels take, and a space: the same for most charts, more where they must."""
        return max([LABELS, *(len(text) + 1 for text in self.labels.values())])

    def inside(self, values: Floats) -> Floats:
        """The same, without what lies beyond its limits."""
        found = self.of(values)
        return np.where((found < self.bottom) | (found > self.top), np.nan, found)


@dataclass(frozen=True, slots=True)
class Drawn:
    """Lines of a chart, of which the first `margin` columns are labels."""

    lines: list[Line]
    margin: int


def chart(
    look: PuffTheme,
    curve: Curve,
    view: View,
    width: int,
    height: int,
    *,
    marks: Sequence[tuple[float, Mark]] = (),
    axes: bool = True,
    stroke: int = STROKE,
    points: bool = True,
) -> Drawn:
    """A chart of `width` x `height` cells; `marks` with their places on the axis.

    Without axes the curve takes all of the space. The smoothed curve is `stroke` dots thick; without
    `points` it stands alone.
    """
    rows = height - 1 if axes else height
    margin = LABELS if axes else 0
    cut = _Cut.of(curve, view, width - margin)
    scale = _scale([cut.raw.low, cut.raw.high, *cut.earlier], curve, rows)
    if axes and scale.margin > margin:
        margin = min(scale.margin, width - 1)
        cut = _Cut.of(curve, view, width - margin)
    columns, raw = width - margin, cut.raw
    band = _band(curve, view, columns)
    tints = Tints(curve.colour)
    cells = Cells.blank(rows, columns)
    if axes:
        _grid(cells, scale, rows)
    for values in map(scale.inside, cut.earlier + cut.left):
        put_line(cells, values, values, scale.bottom, scale.top, tints.EARLIER)
    smooth = scale.of(cut.smooth)
    fill_below(cells, smooth, scale.bottom, scale.top)
    tinted = np.zeros((rows, columns), bool)
    if band is not None:
        limits = scale.of(band[0]), scale.of(band[1])
        tinted = paint_band(cells, *limits, scale.bottom, scale.top)
    _mark_lines(cells, marks, view, tints)
    low, high = scale.of(raw.low), scale.of(raw.high)
    settled, newest = dashed(smooth, _first_provisional(curve, view, dots=len(smooth)))
    strokes = [(part, part, stroke, tints.SMOOTH) for part in (settled, newest)]
    if points:
        strokes.insert(0, (np.where(np.isnan(low), high, low), high, 1, tints.RAW))
    for lower, upper, thickness, name in strokes:
        lit = put_line(cells, lower, upper, scale.bottom, scale.top, name, thickness)
        cells.back[lit & tinted] = tints.BEHIND_BAND
    _cursor(cells, view, columns, tints)
    lines = paint(look, cells, tints)
    if axes:
        lines = _with_axes(look, lines, cells, scale, view, margin, marks)
    return Drawn(lines, margin)


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """All curves of a chart in as many stretches as it has columns of dots; smoothed but for `raw`."""

    raw: raster.Columns
    smooth: Floats
    earlier: list[Floats]
    left: list[Floats]

    @classmethod
    def of(cls, curve: Curve, view: View, columns: int) -> _Cut:
        def parts(series: Series) -> raster.Columns:
            return raster.cut(series, *view.span, columns * raster.DOTS_WIDE)

        def smooth(series: Series) -> Floats:
            return raster.smoothed(parts(series).mean, view.reach)

        raw = parts(curve.series)
        return cls(
            raw,
            raster.smoothed(raw.mean, view.reach),
            [smooth(series) for series in curve.earlier],
            [smooth(series) for series in curve.left],
        )


def value_at(series: Series, place: float) -> float | None:
    """The value of a curve at a place on its axis: of the last point that is known there."""
    at = int(np.searchsorted(series.x, place, "right"))
    known = np.flatnonzero(series.count[:at])
    if not len(known):
        return None
    last = known[-1]
    return float(series.total[last] / series.count[last])


def _band(curve: Curve, view: View, columns: int) -> tuple[Floats, Floats] | None:
    if curve.band is None:
        return None
    low, high = (
        raster.smoothed(raster.cut(limit, *view.span, columns).mean, view.reach // 2)
        for limit in curve.band
    )
    return low, high


def _scale(seen: Sequence[Floats], curve: Curve, rows: int) -> Scale:
    known = np.concatenate([part[~np.isnan(part)] for part in seen])
    if curve.log:
        positive = known[known > LEAST_LOG]
        if len(positive):
            return _log_scale(float(positive.min()), float(positive.max()), rows)
    if not len(known):
        least, most = 0.0, 1.0
    else:
        least, most = float(known.min()), float(known.max())
    if curve.base is not None:
        least, most = min(least, curve.base), max(most, curve.base)
    bottom, top, step = nice_range(least, most, max(1, min(5, rows // 4)))
    values = [number * step for number in multiples(bottom / step, top / step)]
    return Scale(bottom, top, dict(zip(values, labels(values, step), strict=True)))


def _log_scale(least: float, most: float, rows: int) -> Scale:
    bottom, top = math.floor(math.log10(least)), math.ceil(math.log10(most))
    top = max(top, bottom + 1)
    parts = max(1, min(LOG_PARTS, rows // 3))
    every = max(1, -(-(top - bottom) // parts))
    powers = range(bottom, top + 1, every)
    texts = {float(power): _power_label(power) for power in powers}
    return Scale(float(bottom), float(top), texts, log=True)


def _power_label(power: int) -> str:
    return labels([10.0**power], 10.0**power)[0] if -3 <= power < 15 else f"1e{power}"


def _grid(cells: Cells, scale: Scale, rows: int) -> None:
    ticks = np.array(list(scale.labels))
    for row in _rows(ticks, scale, rows):
        cells.rule(row)


def _rows(values: Floats, scale: Scale, rows: int) -> NDArray[np.int64]:
    if not len(values):
        return np.empty(0, np.int64)
    dots = raster.rows_of(values, scale.bottom, scale.top, rows * raster.DOTS_HIGH)
    return dots // raster.DOTS_HIGH


def _column(place: float, view: View, columns: int) -> int | None:
    """The column of a place, None if it is out of sight."""
    start, end = view.span
    if not start <= place <= end:
        return None
    return min(int((place - start) / (end - start) * columns), columns - 1)


def _mark_lines(
    cells: Cells, marks: Sequence[tuple[float, Mark]], view: View, tints: Tints
) -> None:
    columns = cells.letters.shape[1]
    for place, mark in marks:
        column = _column(place, view, columns)
        if mark.line and column is not None:
            cells.upright(column, tints.mark(mark.colour))


def _first_provisional(curve: Curve, view: View, dots: int) -> int:
    """The column of dots from which on values are provisional; `dots`, the number of columns, if none is."""
    start, end = view.span
    if curve.provisional >= end:
        return dots
    return max(0, math.ceil((curve.provisional - start) / (end - start) * dots))


def _cursor(cells: Cells, view: View, columns: int, tints: Tints) -> None:
    column = None if view.cursor is None else _column(view.cursor, view, columns)
    if column is not None:
        cells.back[:, column] = tints.BEHIND_CURSOR


def _with_axes(
    look: PuffTheme,
    lines: list[Line],
    cells: Cells,
    scale: Scale,
    view: View,
    margin: int,
    marks: Sequence[tuple[float, Mark]],
) -> list[Line]:
    rows, columns = cells.letters.shape
    dim = look.style("dim")
    places = _rows(np.array(list(scale.labels)), scale, rows).tolist()
    texts = dict(zip(places, scale.labels.values(), strict=True))
    labelled = [
        [(texts.get(row, "").rjust(margin - 1)[: margin - 1] + " ", dim), *line]
        for row, line in enumerate(lines)
    ]
    return [*labelled, [(" " * margin, dim), *_ruler(look, view, columns, marks)]]


def _ruler(look: PuffTheme, view: View, columns: int, marks: Sequence[tuple[float, Mark]]) -> Line:
    """The labels of the x axis, and over them the signs of what happened."""
    text = ruler(view.axis, *view.span, columns)
    signs: dict[int, Mark] = {}
    for place, mark in marks:
        column = _column(place, view, columns)
        if column is not None and column < columns - len(view.axis.value) - 1:
            signs[column] = mark
            text = _without_word(text, column)
    line: Line = []
    begin = 0
    for column, mark in sorted(signs.items()):
        line += [
            (text[begin:column], look.style("dim")),
            (mark.sign, look.style(mark.colour, bold=True)),
        ]
        begin = column + 1
    return [*line, (text[begin:], look.style("dim"))]


def _without_word(text: str, column: int) -> str:
    """The text without the word at a place: half a number would be another one."""
    if text[column] == " ":
        return text
    begin, end = text.rfind(" ", 0, column) + 1, text.index(" ", column)
    return text[:begin] + " " * (end - begin) + text[end:]


def usual_axis(axis: Axis, last: float) -> View:
    """All of a run that has come to `last` on this axis."""
    return View(axis).with_last(last)
