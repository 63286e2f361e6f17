"""How long a run will take: right where the speed is steady, and steady where it is not."""

from __future__ import annotations

import random

import pytest

from pufftui.trainer.run.outlook import FIRST_SECONDS, LEAST_SECONDS, Outlook

TOTAL = 1_000_000


def followed(speeds: list[float], every: float = 0.25) -> list[float | None]:
    """The seconds left after each stretch at so many steps a second."""
    outlook, step, left = Outlook(), 0.0, []
    for at, speed in enumerate(speeds):
        outlook.see(at * every, int(step))
        left.append(outlook.seconds(TOTAL - int(step)))
        step += speed * every
    return left


def test_a_steady_run_is_told_exactly() -> None:
    left = followed([1000.0] * 2000)
    assert left[0] is None
    for at, seconds in enumerate(left):
        if at * 0.25 > FIRST_SECONDS:
            assert seconds == pytest.approx((TOTAL - at * 250) / 1000, rel=0.02)


def test_a_restless_speed_makes_no_restless_estimate() -> None:
    """A machine that others use, too, is twice as fast in one second as in the next."""
    chance = random.Random(1)
    speeds = [chance.choice([600.0, 1400.0]) for _ in range(200) for _ in range(12)]
    left = followed(speeds)
    settled = [seconds for seconds in left[4 * 60 :] if seconds is not None]
    for now in range(len(settled) - 45 * 4):
        stretch = settled[now : now + 45 * 4]
        assert max(stretch) < 1.4 * min(stretch)


def test_a_lasting_change_is_told_within_minutes() -> None:
    left = followed([1000.0] * 4 * 60 + [500.0] * 4 * 90)
    assert left[-1] == pytest.approx((TOTAL - 60_000 - 45_000) / 500, rel=0.02)
    assert LEAST_SECONDS <= 60


def test_a_pause_does_not_count_and_going_back_begins_anew() -> None:
    outlook = Outlook()
    for second in range(10):
        outlook.see(float(second), second * 100)
    outlook.rest()
    outlook.see(1000.0, 900)
    for second in range(1, 10):
        outlook.see(1000.0 + second, 900 + second * 100)
    assert outlook.seconds(1000) == pytest.approx(10.0)
    outlook.see(1010.0, 300)
    assert outlook.seconds(1000) is None


def test_it_remembers_little() -> None:
    outlook = Outlook()
    for at in range(200_000):
        outlook.see(at * 0.5, at)
    assert len(outlook._points) < 1100
