"""The rasteriser against plain loops that do the same slowly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pufftui.charts import raster
from pufftui.series import ticks
from pufftui.series.curve import Series

VALUES = st.floats(-1e6, 1e6, width=32) | st.just(math.nan)


def slow_cut(x, y, start, end, columns):
    """Least, greatest and mean value per column, None where a column has no known point."""
    found = []
    edges = np.linspace(start, end, columns + 1)
    for column in range(columns):
        last = column == columns - 1
        inside = [
            float(value)
            for at, value in zip(x, y, strict=True)
            if edges[column] <= at
            and (at < edges[column + 1] or (last and at <= end))
            and not math.isnan(value)
        ]
        found.append((min(inside), max(inside), sum(inside) / len(inside)) if inside else None)
    return found


@settings(max_examples=150)
@given(
    y=arrays(np.float32, st.integers(0, 60), elements=VALUES),
    columns=st.integers(2, 40),
    data=st.data(),
)
def test_cutting_matches_a_loop_over_points(y, columns, data) -> None:
    steps = data.draw(arrays(np.int64, len(y), elements=st.integers(0, 3)))
    x = np.cumsum(steps).astype(np.float64)
    start, end = 0.0, float(x[-1]) + 1 if len(x) else 1.0
    got = raster.cut(Series.of_points(x, y), start, end, columns)
    for column, expected in enumerate(slow_cut(x, y, start, end, columns)):
        if expected is not None:
            assert got.low[column] == pytest.approx(expected[0])
            assert got.high[column] == pytest.approx(expected[1])
            assert got.mean[column] == pytest.approx(expected[2], rel=1e-4, abs=1e-2)


def test_columns_between_points_lie_on_a_straight_line() -> None:
    x, y = np.array([0.0, 10.0]), np.array([0.0, 10.0], np.float32)
    got = raster.cut(Series.of_points(x, y), 0, 10, 11)
    assert np.allclose(got.mean, np.arange(11), atol=0.01)
    assert np.isnan(raster.cut(Series.of_points(x[:1], y[:1]), 0, 10, 5).mean[1:]).all()


@given(arrays(np.float64, st.integers(1, 30), elements=VALUES), st.integers(0, 4))
def test_smoothing_matches_a_loop(values, reach) -> None:
    got = raster.smoothed(values, reach)
    for at, value in enumerate(values):
        near = values[max(0, at - reach) : at + reach + 1]
        near = near[~np.isnan(near)]
        if math.isnan(value):
            assert math.isnan(got[at])
        else:
            assert got[at] == pytest.approx(near.mean(), rel=1e-6, abs=1e-6)


def lit_dots(patterns) -> np.ndarray:
    """Braille patterns as a picture of dots, (4 * rows, 2 * columns)."""
    rows, columns = patterns.shape
    dots = np.zeros((rows * 4, columns * 2), bool)
    bits = {(0, 0): 1, (1, 0): 2, (2, 0): 4, (0, 1): 8, (1, 1): 16, (2, 1): 32}
    bits |= {(3, 0): 64, (3, 1): 128}
    for (y, x), bit in bits.items():
        dots[y::4, x::2] = (patterns & bit) > 0
    return dots


@settings(deadline=None)
@given(arrays(np.float64, 24, elements=st.floats(0, 1)), st.integers(1, 6))
def test_lines_pass_through_every_value_without_a_break(values, rows) -> None:
    dots = lit_dots(raster.line(values, values, 0, 1, rows))
    height = rows * 4
    for column, value in enumerate(values):
        assert dots[round((1 - value) * (height - 1)), column]
        lit = np.flatnonzero(dots[:, column])
        assert (np.diff(lit) == 1).all()
        if column:
            before = np.flatnonzero(dots[:, column - 1])
            assert lit.min() <= before.max() + 1
            assert lit.max() >= before.min() - 1


def test_unknown_values_leave_no_dots() -> None:
    values = np.array([0.5, math.nan, math.nan, 0.5])
    dots = lit_dots(raster.line(values, values, 0, 1, 2))
    assert dots.any(axis=0).tolist() == [True, False, False, True]


@given(st.floats(-1e9, 1e9), st.floats(0, 1e9), st.integers(1, 6))
def test_nice_limits_hold_the_range(low, span, parts) -> None:
    bottom, top, step = ticks.nice_range(low, low + span, parts)
    slack = 1e-6 * max(1.0, abs(low), span)
    assert bottom <= low + slack
    assert top >= low + span - slack
    assert step > 0
    assert (top - bottom) / step <= max(parts * 4 / 3 + 1, 4)
    assert len(ticks.multiples(bottom / step, top / step)) >= 2


@given(st.floats(1e-6, 1e15))
def test_nice_ends_are_near_above(value) -> None:
    assert value * 0.999 <= ticks.nice_end(value) <= value * 1.5


def test_runs_are_put_together_again() -> None:
    values = np.array([1, 1, 2, 2, 2, 1])
    assert raster.runs(values) == [(0, 2, 1), (2, 5, 2), (5, 6, 1)]
