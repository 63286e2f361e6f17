"""The rate of frames on machines whose screen costs a fixed part and a part for each frame."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pufftui.state.pace import LEAST, MOST, PERIOD, SHARE, Pace


def settled(pace: Pace, cost: Callable[[float], float], seconds: int = 60) -> list[float]:
    """The rate in each second; `cost` is the share of a core that a rate takes."""
    spent, rates = 0.0, []
    for second in range(seconds):
        rates.append(pace.follow(float(second), spent, free=False))
        spent += cost(rates[-1])
    return rates


def test_a_machine_with_room_shows_all_frames() -> None:
    assert set(settled(Pace(16), lambda rate: 0.02 + 0.002 * rate)) == {MOST}


def test_a_small_machine_spends_what_it_may() -> None:
    def cost(rate: float) -> float:
        return 0.015 + 0.00125 * rate

    rates = settled(Pace(2), cost)
    assert rates[0] == MOST
    assert cost(rates[-1]) == pytest.approx(2 * SHARE, rel=0.12)
    assert rates[-20:] == [rates[-1]] * 20


def test_a_hopeless_machine_still_shows_some() -> None:
    assert settled(Pace(1), lambda rate: 0.5)[-1] == LEAST


def test_the_rate_comes_back() -> None:
    pace = Pace(2)
    assert settled(pace, lambda rate: 0.01 * rate)[-1] == LEAST
    assert pace.follow(1000.0, 1000.0, free=False) == LEAST
    spent = 1000.0
    for second in range(1001, 1020):
        spent += 0.001
        rate = pace.follow(float(second), spent, free=False)
    assert rate == MOST


def test_whoever_plays_has_all_frames_at_once() -> None:
    pace = Pace(1)
    settled(pace, lambda rate: 0.5)
    assert pace.follow(61.0, 30.0, free=True) == MOST
    # What was spent meanwhile does not count afterwards.
    assert pace.follow(90.0, 60.0, free=False) == MOST
    assert pace.follow(90.0 + PERIOD, 60.0, free=False) == MOST


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 5), st.booleans()), max_size=50))
def test_the_rate_keeps_its_limits(moments: list[tuple[float, float, bool]]) -> None:
    pace, now, spent = Pace(2), 0.0, 0.0
    for seconds, used, free in moments:
        now, spent = now + seconds, spent + used
        assert LEAST <= pace.follow(now, spent, free=free) <= MOST
