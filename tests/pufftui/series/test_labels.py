"""Labels of axes: they differ, are evenly spaced, and say what lies where they stand."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pufftui.appearance.format import SUFFIXES
from pufftui.appearance.theme import DEFAULT_THEME, load_themes
from pufftui.charts.chart import Curve, chart
from pufftui.charts.overlay import MARGIN, Overlaid, overlay
from pufftui.charts.view import View
from pufftui.series.axis import Axis, ruler
from pufftui.series.curve import Series

LOOK = load_themes()[DEFAULT_THEME]
POWERS = {suffix: 1000.0**power for power, suffix in enumerate(SUFFIXES)}
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

SIZES = st.sampled_from([10.0**power for power in range(-37, 38)])
LOW = st.builds(lambda share, size: share * size, st.floats(-9.99, 9.99), SIZES)
SPAN = st.builds(lambda share, size: share * size, st.floats(1.0, 9.99), SIZES)
"""Between two scores, losses or learning rates."""


def value_of(text: str) -> float:
    """What a person reads."""
    number = text.rstrip("".join(SUFFIXES))
    return float(number) * POWERS[text[len(number) :]]


def seconds_of(text: str) -> float:
    parts = re.findall(r"([0-9.]+)([a-z])", text)
    return sum(float(number) * SECONDS[unit] for number, unit in parts)


def check_even(values: list[float], seen: float) -> None:
    """They rise by the same, to a hundredth of what is seen."""
    gaps = [after - before for before, after in pairwise(values)]
    assert all(gap > 0 for gap in gaps), values
    if gaps:
        assert max(gaps) - min(gaps) <= 0.01 * seen, values


def y_labels(lines: list[list[tuple[str, object]]]) -> dict[int, str]:
    texts = ["".join(text for text, _ in line) for line in lines[:-1]]
    found = {row: re.match(r" *([-0-9.ekMBTPE]+) ", text) for row, text in enumerate(texts)}
    return {row: match[1] for row, match in found.items() if match}


def check_y(lines, low: float, high: float) -> None:
    """Whoever reads two labels knows where the curve's least and greatest value are."""
    labels = y_labels(lines)
    assert len(labels) > 1
    assert len(set(labels.values())) == len(labels)
    values = [value_of(text) for text in labels.values()][::-1]
    seen = max(high, *values) - min(low, *values)
    check_even(values, seen)
    row, last = min(labels), max(labels)
    a_row = (value_of(labels[row]) - value_of(labels[last])) / (last - row)
    top = value_of(labels[row]) + row * a_row
    bottom = top - (len(lines) - 2) * a_row
    # A label stands in the row of its tick: the ends are known to about a row.
    assert low >= bottom - 1.6 * a_row
    assert high <= top + 1.6 * a_row


@settings(max_examples=1500)
@given(LOW, SPAN, st.integers(5, 60), st.integers(40, 120))
def test_the_labels_of_any_range_differ_and_read_back(low, span, height, width) -> None:
    high = low + max(span, abs(low) * 1e-5)
    series = Series.of_points([0.0, 1.0], [low, high])
    drawn = chart(LOOK, Curve(series, "policy"), View(end=1.0), width, height)
    assert all(sum(len(text) for text, _ in line) == width for line in drawn.lines)
    check_y(drawn.lines, low, high)


@settings(max_examples=500)
@given(LOW, SPAN, st.integers(6, 60), st.integers(40, 120))
def test_so_do_those_of_a_comparison(low, span, height, width) -> None:
    high = low + max(span, abs(low) * 1e-5)
    curve = Overlaid(Series.of_points([0.0, 1.0], [low, high]), "series0")
    lines = overlay(LOOK, [curve], width, height)
    assert all(sum(len(text) for text, _ in line) == width for line in lines)
    check_y(lines, low, high)


@settings(max_examples=3000)
@given(
    st.sampled_from(list(Axis)),
    st.floats(0, 1),
    st.floats(1, 9.99),
    st.integers(-6, 0),
    st.integers(0, 13),
    st.integers(24, 240),
)
def test_the_labels_of_any_stretch_differ_and_stand_where_they_say(
    axis, share, digits, depth, size, columns
) -> None:
    """A run of any length, seen whole or a millionth of it."""
    end = digits * 10.0**size
    span = end * 10.0**depth
    start = share * (end - span)
    text = ruler(axis, start, start + span, columns)
    assert len(text) == columns
    known = text.removesuffix(axis.value)
    unit = "[0-9dhms.]+" if axis is Axis.TIME else r"\S+"
    words = list(re.finditer(rf"{unit}(?: {unit})*" if axis is Axis.TIME else unit, known))
    read = seconds_of if axis is Axis.TIME else value_of
    labels = [word[0] for word in words]
    assert len(set(labels)) == len(labels)
    values = [read(label) for label in labels]
    check_even(values, span)
    for word, value in zip(words, values, strict=True):
        middle = (word.start() + word.end() - 1) / 2 if word.start() else 0.0
        place = start + middle / (columns - 1) * span
        wide = len(word[0]) / columns * span if not word.start() else 0
        assert abs(place - value) <= span * 1.5 / columns + wide


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (5.541, 5.548, {"5.542", "5.544", "5.546", "5.548"}),
        (1e28, 8e28, {"2e28", "4e28", "6e28", "8e28"}),
        (1e-12, 4e-12, {"1e-12", "2e-12", "3e-12", "4e-12"}),
        (0.0, 3e-4, {"0", "1e-4", "2e-4", "3e-4"}),
        (0.0, 1.5e6, {"0", "500k", "1M", "1.5M"}),
        (0.0, 15.0, {"0", "5", "10", "15"}),
    ],
)
def test_labels_are_as_short_as_they_can_be(low, high, expected) -> None:
    series = Series.of_points([0.0, 1.0], [low, high])
    drawn = chart(LOOK, Curve(series, "policy"), View(end=1.0), 60, 17)
    assert set(y_labels(drawn.lines).values()) == expected


def test_ticks_of_the_x_axis_are_even() -> None:
    """Labels that would touch are not left out one by one."""
    assert ruler(Axis.STEPS, 0, 15e6, 40).split() == ["0", "5M", "10M", "steps"]
    assert "2d 04h 13m 20s" in ruler(Axis.TIME, 188_000, 188_010, 80)


def test_most_charts_have_their_curves_below_each_other() -> None:
    series = Series.of_points([0.0, 1.0], [0.0, 12.5])
    assert chart(LOOK, Curve(series, "policy"), View(end=1.0), 60, 17).margin == 6
    assert MARGIN == 7
