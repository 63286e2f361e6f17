"""Charts as text: what is drawn where, and what it costs."""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pufftui.appearance.theme import DEFAULT_THEME, load_themes
from pufftui.charts.chart import Curve, chart, value_at
from pufftui.charts.marks import Mark, marks_of
from pufftui.charts.plot import LABELS
from pufftui.charts.view import View
from pufftui.series.curve import LONG, Metric, Series
from pufftui.trainer.store import AlertRow, Event

LOOK = load_themes()[DEFAULT_THEME]
WIDTH, HEIGHT = 60, 12


def points(values, start=0.0, step=1.0) -> Series:
    values = np.array(values, np.float32)
    return Series.of_points(start + step * np.arange(len(values), dtype=float), values)


def drawn(curve: Curve, view: View | None = None, width=WIDTH, height=HEIGHT, **more):
    last = float(curve.series.x[-1]) if len(curve.series) else 1.0
    return chart(LOOK, curve, view or View().with_last(last), width, height, **more).lines


def texts(lines) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines]


def colours(lines, row: int) -> list[str]:
    """The colour of every letter of a row that is no space."""
    found = []
    for text, style in lines[row]:
        found += [style.color.name if letter.strip() else "" for letter in text]
    return found


@settings(max_examples=60)
@given(
    st.lists(st.floats(-1e9, 1e9, width=32) | st.just(math.nan), max_size=80),
    st.integers(20, 120),
    st.integers(2, 30),
    st.booleans(),
    st.booleans(),
    st.integers(0, 6),
)
def test_every_chart_fills_its_space_exactly(values, width, height, log, axes, level) -> None:
    series = points(values)
    view = View(smoothing=level, cursor=3.0).with_last(max(len(values), 1))
    marks = [(2.0, Mark(2, "▲", "warning", 4)), (200.0, Mark(200, "◆", "dim", 0))]
    curve = Curve(series, "series1", band=(series, series), log=log, provisional=40.0)
    lines = drawn(curve, view, width, height, marks=marks, axes=axes)
    assert [len(text) for text in texts(lines)] == [width] * height


def test_no_spike_is_lost_however_many_points_there_are() -> None:
    values = np.zeros(LONG * 3, np.float32)
    values[12345] = 100.0
    blocks = Series.of_points(np.arange(len(values), dtype=float), values)
    lines = texts(drawn(Curve(blocks, "series0")))
    assert any(letter > "⠀" for letter in lines[0][LABELS:] if "⠀" <= letter <= "⣿")


def test_labels_of_a_logarithmic_axis_are_powers_of_ten() -> None:
    values = 10.0 ** np.linspace(-3, 3, 50)
    lines = texts(drawn(Curve(points(values), "series0", log=True), height=22))
    labels = [line[: LABELS - 1].strip() for line in lines if line[: LABELS - 1].strip()]
    assert labels[0] == "1k"
    assert labels[-1] == "0.001"
    assert set(labels) <= {"1k", "100", "10", "1", "0.1", "0.01", "0.001"}
    # A power law is a straight line: the curve leaves each row after about as many columns.
    row = [line[LABELS:].rstrip() for line in lines[:-1]]
    ends = [
        max(i for i, letter in enumerate(text) if "⠁" <= letter <= "⣿")
        for text in row
        if any("⠁" <= letter <= "⣿" for letter in text)
    ]
    assert np.std(np.diff(ends)) < 1.5


def test_values_below_zero_leave_a_gap_on_a_logarithmic_axis() -> None:
    values = [1.0] * 20 + [-5.0] * 20 + [10.0] * 20
    lines = texts(drawn(Curve(points(values), "series0", log=True)))
    middle = [line[LABELS + 24 : LABELS + 32] for line in lines[:-1]]
    assert not any("⠁" <= letter <= "⣿" for text in middle for letter in text)


def test_a_window_shows_its_stretch_alone() -> None:
    series = points(np.arange(100))
    whole = texts(drawn(Curve(series, "series0")))
    part = texts(drawn(Curve(series, "series0"), View(end=100.0, window=(40.0, 60.0))))
    assert "100" in whole[0]
    labels = [float(line[:LABELS]) for line in part[:-1] if line[:LABELS].strip()]
    assert min(labels) >= 39
    assert max(labels) <= 61
    assert "50" in part[-1]


def test_the_provisional_stretch_is_as_bright_as_the_rest_and_dashed() -> None:
    """What is newest is what a person looks for."""
    series = points(np.full(100, 5.0))
    curve = Curve(series, "policy", provisional=50.0)
    lines = drawn(curve, View(end=100.0, smoothing=0), points=False)
    row = next(
        i
        for i, text in enumerate(texts(lines))
        if "⠤" in text
        or "⣀" in text
        or "⠒" in text
        or "⠉" in text
        or "⠶" in text
        or "⠛" in text
        or "⣤" in text
    )
    found = colours(lines, row)[LABELS:]
    lit = [at for at, colour in enumerate(found) if colour == LOOK.colours["policy"]]
    assert set(range(25)) <= set(lit)
    late = [at for at in lit if at > 28]
    assert 0.5 * 25 < len(late) < 0.8 * 25
    assert max(late) == 53, "the newest dots are there"


@pytest.mark.parametrize("end", np.linspace(100.0, 130.0, 31))
def test_a_band_never_hangs_beyond_the_ground_below_its_curve(end: float) -> None:
    x = np.arange(100.0)
    series = Series.of_points(x, x)
    band = Series.of_points(x, x - 4), Series.of_points(x, x + 4)
    lines = drawn(Curve(series, "policy", band=band, base=0.0), View(end=end), 90, 20)
    ground = LOOK.colours["surface"]
    last = {}
    for row, line in enumerate(lines[:-1]):
        cells = [style.bgcolor.name for text, style in line for _ in text]
        tinted = [at for at, colour in enumerate(cells) if colour != ground]
        if tinted:
            last[row] = max(tinted)
    assert len(last) > 10
    assert len(set(last.values())) == 1


def test_marks_stand_on_the_axis_and_the_important_ones_go_through() -> None:
    series = points(np.full(100, 5.0))
    marks = [(25.0, Mark(25, "◆", "dim", 0)), (75.0, Mark(75, "▲", "warning", 4))]
    lines = texts(drawn(Curve(series, "series0", base=0.0), View(end=100.0), marks=marks))
    columns = WIDTH - LABELS
    assert lines[-1][LABELS + columns // 4] == "◆"
    assert lines[-1][LABELS + columns * 3 // 4] == "▲"
    assert any(line[LABELS + columns * 3 // 4] == "┊" for line in lines[:-1])
    assert not any(line[LABELS + columns // 4] == "┊" for line in lines[:-1])


def test_a_mark_never_cuts_a_number_in_two() -> None:
    curve = Curve(points(np.full(100, 5.0)), "series0", base=0.0)
    view = View(end=30e6)
    (plain,) = texts(drawn(curve, view))[-1:]
    numbers = set(plain.split())
    assert len(numbers) > 2
    for place in np.linspace(0, view.end, 200):
        marked = texts(drawn(curve, view, marks=[(place, Mark(int(place), "◆", "dim", 0))]))[-1]
        assert set(marked.replace("◆", " ").split()) <= numbers


def test_the_cursor_is_a_column_on_another_ground() -> None:
    series = points(np.full(100, 5.0))
    lines = drawn(Curve(series, "series0"), View(end=100.0, cursor=50.0))
    grounds = []
    for text, style in lines[0]:
        grounds += [style.bgcolor.name] * len(text)
    column = LABELS + (WIDTH - LABELS) // 2
    assert grounds[column] not in {grounds[column - 1], grounds[column + 1]}


def test_what_the_run_went_back_over_does_not_stretch_the_axis() -> None:
    x = np.arange(100.0)
    plain = Curve(Series.of_points(x, x / 100), "series0")
    exploded = Series.of_points(x, np.where(x < 50, 0.1, 1e6))
    view = View(end=100.0)
    beside = replace(plain, left=[exploded])
    alone, both = (texts(drawn(curve, view)) for curve in (plain, beside))
    assert [line[:LABELS] for line in both] == [line[:LABELS] for line in alone]
    pairs = zip("".join(alone), "".join(both), strict=True)
    changed = sum(before != after for before, after in pairs)
    assert 0 < changed < WIDTH // 2, "the part that is in sight"


def test_earlier_runs_lie_behind() -> None:
    series, other = points(np.full(50, 1.0)), points(np.full(100, 9.0))
    plain = texts(drawn(Curve(series, "series0"), View(end=100.0)))
    lines = texts(drawn(Curve(series, "series0", earlier=[other]), View(end=100.0)))
    assert plain != lines
    labels = [line[:LABELS].strip() for line in lines[:-1] if line[:LABELS].strip()]
    assert max(float(label) for label in labels) >= 5, "they are in sight"


def test_a_curve_is_read_out_at_the_last_known_point() -> None:
    series = points([1.0, 2.0, math.nan, 4.0])
    assert value_at(series, 1.5) == 2.0
    assert value_at(series, 2.5) == 2.0
    assert value_at(series, 99.0) == 4.0
    assert value_at(series, -1.0) is None


def event(kind: str, step: int) -> Event:
    return Event(1, step, 0.0, kind, "")


def test_what_happened_becomes_marks_the_most_important_last() -> None:
    alert = AlertRow(1, 50, 0.0, "critical", "score.crash", "t", "t", {}, "", None, None)
    events = [
        event("start", 0),
        event("checkpoint", 0),
        event("checkpoint", 40),
        event("change", 60),
        event("rollback", 55),
        event("best", 30),
        event("start", 70),
    ]
    marks = marks_of(events, [alert, AlertRow(2, 9, 0.0, "info", "x", "", "", {}, "", None, None)])
    assert [(mark.step, mark.sign) for mark in marks] == [
        (40, "◆"),
        (70, "▶"),
        (60, "±"),
        (55, "↶"),
        (50, "✕"),
    ]
    assert [mark.line for mark in marks] == [False, False, True, True, True]


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
def test_a_chart_of_a_million_points_is_drawn_within_a_frame(size) -> None:
    count = 1_000_000
    metric = Metric()
    metric.append(np.random.default_rng(1).standard_normal(count).cumsum().astype(np.float32))
    x = np.arange(count, dtype=float)
    took = []
    for _ in range(7):
        began = time.thread_time()
        series = metric.series(x)
        drawn(Curve(series, "policy", band=(series, series)), View(end=float(count)), *size)
        took.append(time.thread_time() - began)
    assert statistics.median(took) < 0.016, "a budget that a person feels"
