from __future__ import annotations

from pufftui.keys.latch import QUIET, Latch
from pufftui.trainer.messages.command import PressKey, ReleaseAllKeys, ReleaseKey

PARTS = {"left": 0, "right": 0, "up": 1, "space": 2}


def latch(*, turn_based: bool = False) -> Latch:
    return Latch(PARTS, turn_based=turn_based)


def test_a_tap_holds_until_another_key() -> None:
    keys = latch()
    assert keys.press("left", 0.0) == [PressKey("left")]
    assert keys.tick(100.0) == []
    assert keys.press("right", 101.0) == [ReleaseKey("left"), PressKey("right")]
    assert keys.keys == {"right"}


def test_parts_of_the_action_are_held_apart() -> None:
    """Whoever steers can shoot, and climb."""
    keys = latch()
    keys.press("left", 0.0)
    assert keys.press("space", 1.0) == [PressKey("space")]
    assert keys.press("up", 2.0) == [PressKey("up")]
    assert keys.press("right", 3.0) == [ReleaseKey("left"), PressKey("right")]
    assert keys.keys == {"right", "space", "up"}
    keys.press("space", 4.0)
    assert keys.tick(4.1 + QUIET) == [ReleaseKey("space")]
    assert keys.keys == {"right", "up"}
    assert keys.release() == [ReleaseAllKeys()]
    assert keys.keys == set()


def test_a_second_tap_lets_go() -> None:
    keys = latch()
    keys.press("left", 0.0)
    assert keys.press("left", 2.0) == []
    assert keys.tick(2.0 + QUIET / 2) == []
    assert keys.tick(2.01 + QUIET) == [ReleaseKey("left")]
    assert keys.keys == set()
    assert keys.press("left", 3.0) == [PressKey("left")]


def test_a_key_that_the_keyboard_repeats_is_held_until_it_stops() -> None:
    keys = latch()
    now = 0.0
    assert keys.press("left", now) == [PressKey("left")]
    now += 0.5  # the keyboard waits before it repeats
    for _ in range(20):
        assert keys.press("left", now) == []
        assert keys.tick(now + 0.02) == []
        now += 0.04
    assert keys.tick(now + QUIET) == [ReleaseKey("left")]


def test_turns_take_every_press() -> None:
    keys = latch(turn_based=True)
    assert keys.press("left", 0.0) == keys.press("left", 0.1) == [PressKey("left")]
    assert keys.tick(10.0) == []
    assert keys.keys == set()


def test_a_tap_for_one_decision_leaves_nothing_of_its_part_down() -> None:
    keys = latch()
    assert keys.tap("left") == [PressKey("left"), ReleaseKey("left")]
    assert keys.keys == set()
    keys.press("right", 0.0)
    keys.press("space", 0.0)
    assert keys.tap("left") == [ReleaseKey("right"), PressKey("left"), ReleaseKey("left")]
    assert keys.keys == {"space"}
    keys.press("left", 1.0)
    assert keys.tap("left") == [ReleaseKey("left"), PressKey("left"), ReleaseKey("left")]
    assert keys.tick(100.0) == []
    assert latch(turn_based=True).tap("left") == [PressKey("left")]
