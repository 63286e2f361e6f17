"""Keys that a game wants tapped: each press is one decision, in the order in which they were typed."""

from dataclasses import replace

import pytest

from pufftui.envs.catalogue import load_env
from pufftui.trainer.arena.player import MOST_TYPED, Player

NMMO = load_env("nmmo").descriptor
LABELS = [choice.label for choice in NMMO.actions[0].choices]


@pytest.fixture
def player():
    return Player(NMMO)


def decided(player):
    return LABELS[int(player.decide()[0])]


def test_what_is_typed_ahead_goes_through_a_menu(player):
    for key in "b24":
        player.press(key)
    assert not player.idle
    assert [decided(player) for _ in range(4)] == ["buy", "key 2", "key 4", "stay"]
    assert player.idle


def test_a_tapped_key_that_stays_down_is_pressed_once_and_a_held_one_stays(player):
    player.press("d")
    player.press("1")
    assert [decided(player) for _ in range(3)] == ["key 1", "right", "right"]
    player.release("1")
    player.release("d")
    assert decided(player) == "stay"


def test_who_hands_back_has_typed_nothing_and_nobody_types_without_end(player):
    player.press("b")
    player.forget()
    assert decided(player) == "stay"
    for _ in range(50):
        player.press("1")
    assert [decided(player) for _ in range(MOST_TYPED + 1)] == ["key 1"] * MOST_TYPED + ["stay"]


def test_in_turns_it_makes_no_difference():
    player = Player(replace(NMMO, turn_based=True))
    player.press("1")
    assert not player.waiting
    assert LABELS[int(player.decide_turn()[0])] == "key 1"
    assert player.waiting
