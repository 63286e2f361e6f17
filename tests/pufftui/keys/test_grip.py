"""Keys that a game wants tapped, in terminals that tell when keys are let go, and in those that do not."""

import pytest

from pufftui.envs.catalogue import load_env
from pufftui.keys.grip import Grip
from pufftui.trainer.messages.command import PressKey, ReleaseKey


@pytest.fixture
def grip():
    return Grip(load_env("nmmo").descriptor)


def test_a_tapped_key_is_not_latched_and_lets_go_of_what_is(grip):
    assert grip.type("d", 1.0) == [PressKey("d")]
    assert grip.type("b", 2.0) == [ReleaseKey("d"), PressKey("b"), ReleaseKey("b")]
    assert grip.empty
    assert grip.type("2", 2.2) == [PressKey("2"), ReleaseKey("2")]


def test_a_tapped_key_that_the_keyboard_repeats_is_one_press(grip):
    assert PressKey("1") in grip.type("1", 1.0)
    for number in range(1, 30):
        assert grip.type("1", 1.0 + 0.03 * number) == []
    assert PressKey("1") in grip.type("1", 3.0)


def test_where_releases_are_seen_repeats_of_a_tapped_key_are_nothing(grip):
    grip.real = True
    assert grip.press("1") == [PressKey("1")]
    assert grip.press("1") == []
    assert grip.press("d") == grip.press("d") == [PressKey("d")]
    grip.lift("1")
    assert grip.press("1") == [PressKey("1")]
