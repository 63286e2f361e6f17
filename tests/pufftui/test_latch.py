from __future__ import annotations

from pufftui.latch import QUIET, Latch
from pufftui.trainer.command import PressKey, ReleaseAllKeys

DOWN = [ReleaseAllKeys(), PressKey("left")]


def test_a_tap_holds_until_another_key() -> None:
    latch = Latch(turn_based=False)
    assert latch.press("left", 0.0) == DOWN
    assert latch.tick(100.0) == []
    assert latch.press("right", 101.0) == [ReleaseAllKeys(), PressKey("right")]
    assert latch.key == "right"


def test_a_second_tap_lets_go() -> None:
    latch = Latch(turn_based=False)
    latch.press("left", 0.0)
    assert latch.press("left", 2.0) == []
    assert latch.tick(2.0 + QUIET / 2) == []
    assert latch.tick(2.01 + QUIET) == [ReleaseAllKeys()]
    assert latch.key is None
    assert latch.press("left", 3.0) == DOWN


def test_a_key_that_the_keyboard_repeats_is_held_until_it_stops() -> None:
    latch = Latch(turn_based=False)
    now = 0.0
    assert latch.press("left", now) == DOWN
    now = 0.4  # the delay before a keyboard repeats
    for _ in range(50):
        assert latch.press("left", now) == []
        assert latch.tick(now) == []
        now += 0.033
    assert latch.tick(now + QUIET) == [ReleaseAllKeys()]


def test_games_with_turns_get_every_press() -> None:
    latch = Latch(turn_based=True)
    assert latch.press("left", 0.0) == [PressKey("left")]
    assert latch.press("left", 0.1) == [PressKey("left")]
    assert latch.tick(10.0) == []
    assert latch.key is None
