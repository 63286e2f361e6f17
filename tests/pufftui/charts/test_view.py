"""How charts are looked at: zoom, pan and cursor as pure functions, and the labels of the x axis."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pufftui.charts.view import SMOOTHINGS, View
from pufftui.series.axis import Axis, ruler

PLACES = st.floats(0, 1e12)
CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("zoom"), st.booleans(), st.none() | st.floats(0, 1)),
        st.tuples(st.just("pan"), st.floats(-2, 2), st.none()),
        st.tuples(st.just("move"), st.integers(-200, 200), st.none()),
    ),
    max_size=30,
)


@given(CHANGES, st.floats(1, 1e12))
def test_whatever_is_done_something_of_the_run_is_in_sight(changes, last) -> None:
    view = View().with_last(last)
    for what, how, where in changes:
        match what:
            case "zoom":
                view = view.zoomed(how, None if where is None else where * view.end)
            case "pan":
                view = view.panned(how)
            case "move":
                view = view.moved(how, last)
        start, end = view.span
        assert 0 <= start < end <= view.end * (1 + 1e-9)
        assert view.cursor is None or 0 <= view.cursor <= view.end


def test_zooming_keeps_the_place_under_the_pointer() -> None:
    view = View(end=100.0)
    for _ in range(5):
        view = view.zoomed(True, 30.0)
        start, end = view.span
        assert (30.0 - start) / (end - start) == pytest.approx(0.3)
    for _ in range(5):
        view = view.zoomed(False, 30.0)
    assert view.window is None


def test_zooming_near_the_end_keeps_the_end() -> None:
    view = View(end=100.0).zoomed(True, 97.0)
    assert view.span[1] == pytest.approx(100)
    assert View(end=100.0).zoomed(True).span[1] == pytest.approx(100), "without a place, the newest"


def test_the_cursor_begins_at_the_newest_point_and_stays_in_the_run() -> None:
    view = View(end=100.0).moved(-1, 60.0)
    assert view.cursor == pytest.approx(60 - 100 / 120)
    assert view.moved(500, 60.0).cursor == 60.0
    assert view.moved(-500, 60.0).cursor == 0.0
    assert view.whole().cursor is None


def test_smoothing_has_ends() -> None:
    view = View()
    assert view.smoother(-99).reach == 0
    assert view.smoother(99).reach == SMOOTHINGS[-1]


def test_axes_go_round() -> None:
    axis, seen = Axis.STEPS, []
    for _ in range(4):
        seen.append(axis)
        axis = axis.next
    assert seen == list(Axis)
    assert axis is Axis.STEPS


@given(
    st.sampled_from(list(Axis)),
    st.floats(0, 1e9),
    st.floats(1e-3, 1e12),
    st.integers(1, 240),
)
def test_a_ruler_is_as_wide_as_the_chart_and_its_labels_stand_apart(
    axis, start, span, columns
) -> None:
    text = ruler(axis, start, start + span, columns)
    assert len(text) == columns
    if text.strip():
        assert text.endswith(axis.value)


def test_labels_lie_where_they_say() -> None:
    text = ruler(Axis.STEPS, 0, 100_000_000, 80)
    assert text.startswith("0 ")
    assert abs(text.index("40M") + 1 - 0.4 * 79) <= 1
    late = ruler(Axis.STEPS, 60e6, 80e6, 80)
    assert "70M" in late
    assert "50M" not in late
    assert "2m" in ruler(Axis.TIME, 0, 240, 60)
    assert "1d" in ruler(Axis.TIME, 0, 3 * 86400, 60)


@pytest.mark.parametrize("axis", list(Axis))
def test_the_end_of_an_axis_rarely_moves(axis) -> None:
    ends = {axis.end(float(last)) for last in range(1000, 2000)}
    assert len(ends) <= 12
    assert all(axis.end(float(last)) >= last for last in range(1, 3000, 7))
