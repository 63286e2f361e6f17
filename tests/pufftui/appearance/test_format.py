from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pufftui.appearance.format import (
    SUFFIXES,
    duration,
    figure,
    fit,
    memory,
    percent,
    progress,
    steps,
    tick,
)

POWERS = {suffix: 1000.0**power for power, suffix in enumerate(SUFFIXES)}


def parse(text: str) -> float:
    number = text.rstrip("kMBTPE")
    return float(number) * POWERS[text[len(number) :]]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (math.nan, "NaN"),
        (math.inf, "∞"),
        (0, "0"),
        (3, "3"),
        (0.0123, "0.012"),
        (0.61, "0.610"),
        (-0.9996, "-1.00"),
        (1e-12, "1e-12"),
        (-3.4e38, "-3e38"),
        (8.314e28, "8e28"),
        (8.314, "8.31"),
        (83.14, "83.1"),
        (418.4, "418"),
        (999.4, "999"),
        (999.6, "1.00k"),
        (12_634, "12.6k"),
        (3_420_000, "3.42M"),
        (999_600_000, "1.00B"),
        (-20.04, "-20.0"),
        (4.2e-5, "4e-5"),
    ],
)
def test_figures_read_as_people_write_them(value: float | None, text: str) -> None:
    assert figure(value) == text


@given(st.floats(-1e18, 1e18))
def test_figures_are_short_and_close(value: float) -> None:
    text = figure(value)
    assert len(text) <= 6
    assert parse(text) == pytest.approx(value, rel=0.006, abs=0.0006)


@given(st.floats(1e-8, 0.1))
def test_small_figures_keep_their_size(value: float) -> None:
    assert len(figure(value)) <= 6
    assert parse(figure(value)) == pytest.approx(value, rel=0.5)


@given(st.integers(0, 10**17))
def test_step_counts_are_short(value: int) -> None:
    assert len(steps(value)) <= 5
    assert parse(steps(value)) == pytest.approx(value, rel=0.006)


@given(st.floats(0, 10 * 365 * 86400))
def test_durations_are_true_and_narrow(seconds: float) -> None:
    sizes = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    words = duration(seconds).split()
    total = sum(int(word[:-1]) * sizes[word[-1]] for word in words)
    smallest = sizes[words[-1][-1]]
    assert total <= seconds < total + smallest
    assert len(duration(seconds)) <= 9


def test_durations_as_examples() -> None:
    assert [duration(s) for s in (0, 59, 60, 192, 724, 3840, 100_000)] == [
        "0s",
        "59s",
        "1m 00s",
        "3m 12s",
        "12m 04s",
        "1h 04m",
        "1d 03h",
    ]
    assert duration(None) == duration(math.inf) == "–"


@given(st.floats(0, 1e15))
def test_memory_has_three_digits_and_a_unit(count: float) -> None:
    number, unit = memory(count).split()
    power = ("B", "kB", "MB", "GB", "TB").index(unit)
    assert float(number) * 1024**power == pytest.approx(count, rel=0.006, abs=0.5)
    assert len(number) <= 4


@given(st.text(max_size=30), st.integers(0, 20))
def test_fit_gives_exactly_the_cells_asked_for(text: str, width: int) -> None:
    from rich.cells import cell_len

    assert cell_len(fit(text, width)) == width


def test_ticks_and_percents() -> None:
    assert [tick(value) for value in (0, 0.5, 250, 1000, 1500, 50e6, -10)] == [
        "0",
        "0.5",
        "250",
        "1k",
        "1.5k",
        "50M",
        "-10",
    ]
    assert [percent(0.414), percent(1), percent(None)] == ["41 %", "100 %", "   –"]


@pytest.mark.parametrize(
    ("step", "total", "text"),
    [(0, 10, "   0 %"), (5, 10, "  50 %"), (11, 10, " 100 %"), (3, 0, "   –")],
)
def test_progress_is_never_above_all(step: int, total: int, text: str) -> None:
    assert progress(step, total).strip() == text.strip()
