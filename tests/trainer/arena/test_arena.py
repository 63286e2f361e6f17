"""The arena and its player with real games."""

import time

import numpy as np
import pytest

from pufftui.envs.catalogue import load_env
from pufftui.envs.descriptor import Action, ActionKind, Choice
from pufftui.envs.library import load_library
from pufftui.trainer.arena.arena import Arena
from pufftui.trainer.arena.player import RAMP_SECONDS, Player
from pufftui.trainer.messages import command


@pytest.fixture
def open_arena():
    arenas = []

    def begin(env, weights=lambda: None):
        library = load_env(env)
        arena = Arena(library, library.descriptor.parameter_values({}), weights, seed=1)
        arenas.append(arena)
        arena.start()
        return arena

    yield begin
    for arena in arenas:
        arena.stop()


def wait_for(arena, condition, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        frame = arena.latest
        if frame is not None and condition(frame):
            return frame
        time.sleep(0.005)
    raise AssertionError("it did not happen in time")


def test_it_draws_at_the_size_that_is_asked_for(open_arena):
    arena = open_arena("breakout")
    arena.send(command.SetPictureSize(80, 46))
    frame = wait_for(arena, lambda f: f.pixels.shape == (46, 80, 3))
    assert len(np.unique(frame.pixels.reshape(-1, 3), axis=0)) > 5
    assert not frame.pixels.flags.writeable
    later = wait_for(arena, lambda f: f.number > frame.number + 10)
    assert (later.pixels != frame.pixels).any()


def test_a_held_key_moves_the_paddle_and_handing_back_lets_go(open_arena):
    arena = open_arena("breakout")
    arena.send(command.TakeOver())
    arena.send(command.PressKey("right"))
    right = [c.label for c in load_env("breakout").descriptor.actions[0].choices].index("right")
    wait_for(arena, lambda f: f.human and f.action == (right,))
    first = arena.latest.episode_length
    wait_for(arena, lambda f: f.episode_length > first + 3)
    assert arena.latest.action == (right,)
    arena.send(command.ReleaseAllKeys())
    neutral = load_env("breakout").descriptor.actions[0].neutral
    wait_for(arena, lambda f: f.action == (neutral,))
    arena.send(command.HandBack())
    wait_for(arena, lambda f: not f.human)


def test_a_turn_based_game_waits_for_each_key(open_arena):
    arena = open_arena("squared")
    arena.send(command.TakeOver())
    frame = wait_for(arena, lambda f: f.human and f.waiting_for_key)
    length = frame.episode_length
    time.sleep(0.5)
    assert arena.latest.episode_length == length
    arena.send(command.PressKey("left"))
    arena.send(command.PressKey("left"))
    # Two steps, unless the game happened to end in between.
    wait_for(arena, lambda f: f.waiting_for_key and f.episode_length in (length + 2, 0, 1))


def test_pausing_stops_the_game_only(open_arena):
    arena = open_arena("breakout")
    arena.send(command.PauseGame(paused=True))
    frame = wait_for(arena, lambda f: f.paused)
    later = wait_for(arena, lambda f: f.number > frame.number + 3)
    assert later.episode_length == frame.episode_length
    arena.send(command.PauseGame(paused=False))
    wait_for(arena, lambda f: f.episode_length != frame.episode_length)


def test_fewer_frames_do_not_slow_the_game(open_arena):
    arena = open_arena("cartpole")
    arena.send(command.SetPictureSize(80, 46))
    arena.send(command.SetFrameRate(5.0))
    first = wait_for(arena, lambda f: f.number > 1)
    begin = time.monotonic()
    last = wait_for(arena, lambda f: f.number >= first.number + 5)
    assert time.monotonic() - begin > 0.7
    assert 0 < arena.spent < 10
    arena.send(command.SetFrameRate(30.0))
    wait_for(arena, lambda f: f.number >= last.number + 30, seconds=5)


def test_watching_another_agent_hands_back(open_arena):
    arena = open_arena("breakout")
    arena.send(command.TakeOver())
    wait_for(arena, lambda f: f.human)
    arena.send(command.Watch(-1))
    frame = wait_for(arena, lambda f: f.agent == f.agents - 1)
    assert not frame.human


def test_a_finished_game_is_credited_to_the_person_who_played_it(open_arena):
    arena = open_arena("squared")
    arena.send(command.TakeOver())
    wait_for(arena, lambda f: f.human)
    for _ in range(40):
        arena.send(command.PressKey("up"))
    frame = wait_for(arena, lambda f: f.best_human_score is not None)
    assert frame.last_score_human
    assert frame.best_human_score in (0.0, 1.0)


# An environment whose action has parts, in the arena's real thread.


def limbs(compiler, *flags):
    return load_library(compiler.library("tests/c/limbs.c", *flags))


@pytest.fixture
def open_library():
    """Opens the arena on a library of our own, played by a person."""
    arenas = []

    def begin(library):
        arena = Arena(library, {}, lambda: None, seed=1)
        arenas.append(arena)
        arena.send(command.SetPictureSize(8, 8))
        arena.send(command.TakeOver())
        arena.start()
        wait_for(arena, lambda f: f.human)
        return arena

    yield begin
    for arena in arenas:
        arena.stop()


def test_every_part_of_an_action_has_its_own_keys(compiler, open_library):
    arena = open_library(limbs(compiler))
    arena.send(command.PressKey("left"))
    arena.send(command.PressKey("space"))
    wait_for(arena, lambda f: f.action == (1, 2))
    arena.send(command.PressKey("d"))  # the one pressed last walks, the arm goes on
    wait_for(arena, lambda f: f.action == (2, 2))
    arena.send(command.ReleaseKey("d"))
    wait_for(arena, lambda f: f.action == (1, 2))
    arena.send(command.ReleaseKey("left"))
    wait_for(arena, lambda f: f.action == (0, 2))
    arena.send(command.ReleaseAllKeys())
    wait_for(arena, lambda f: f.action == (0, 0))


def test_controls_swing_out_and_come_to_rest_again(compiler, open_library):
    library = limbs(compiler, "-DCONTINUOUS")
    arena = open_library(library)
    arena.send(command.PauseGame(paused=True))
    wait_for(arena, lambda f: f.paused)

    def decisions(count):
        found = []
        for _ in range(count):
            length = arena.latest.episode_length
            arena.send(command.StepGame())
            found.append(wait_for(arena, lambda f, n=length: f.episode_length > n).action)
        return found

    arena.send(command.PressKey("right"))
    arena.send(command.PressKey("w"))
    first, *_, last = decisions(6)
    step = 1 / (RAMP_SECONDS * library.descriptor.steps_per_second)
    assert first == pytest.approx((step, step))
    assert 0 < step < 0.5
    assert last == (1, 1)
    arena.send(command.ReleaseKey("w"))
    arena.send(command.PressKey("left"))  # across to the other end, step by step
    (turn, climb), *_, last = decisions(9)
    assert (turn, climb) == pytest.approx((1 - step, 1 - step))
    assert last == (-1, 0)
    arena.send(command.ReleaseAllKeys())
    assert decisions(9)[-1] == (0, 0)
    # A short tap is a little of it.
    arena.send(command.PressKey("d"))
    arena.send(command.ReleaseKey("d"))
    (turn, _), *_ = decisions(3)
    assert turn == pytest.approx(step)


class About:
    """As much of a descriptor as a player needs."""

    steps_per_second = 1 / (0.25 * RAMP_SECONDS)  # four decisions from rest to the end
    tapped_keys = ()

    def __init__(self, kind):
        self.action_kind = kind
        move = tuple(Choice(n, k) for n, k in [("stay", ()), ("left", ("left", "a")), ("up", "w")])
        fire = (Choice("hold", ()), Choice("fire", ("space",)))
        self.actions = (Action("move", 0, move), Action("fire", 0, fire))


def test_keys_of_different_components_work_together():
    player = Player(About(ActionKind.MULTI_DISCRETE))
    player.press("a")
    player.press("space")
    assert player.decide().tolist() == [1, 1]
    player.release("space")
    assert player.decide().tolist() == [1, 0]


def test_the_key_pressed_last_wins_and_a_tap_counts_once():
    player = Player(About(ActionKind.MULTI_DISCRETE))
    player.press("left")
    player.press("w")
    player.release("w")
    assert player.decide().tolist() == [2, 0]
    assert player.decide().tolist() == [1, 0]
    player.release_all()
    assert player.decide().tolist() == [0, 0]


def test_keys_that_mean_something_together():
    about = About(ActionKind.DISCRETE)
    labels = {"coast": (), "go": ("up", "w"), "left": ("left",), "right": ("right",)}
    labels |= {"go left": ("q", "up+left", "w+left"), "go right": ("up+right",), "jump": ("j",)}
    about.actions = (Action("drive", 0, tuple(Choice(n, k) for n, k in labels.items())),)
    number = {label: choice for choice, label in enumerate(labels)}
    player = Player(about)

    def chosen(*, press="", release=""):
        for key in press.split():
            player.press(key)
        for key in release.split():
            player.release(key)
        return list(labels)[int(player.decide().item())]

    assert chosen(press="up") == "go"
    assert chosen(press="left") == "go left"
    assert chosen() == "go left"
    assert chosen(press="right") == "go right"  # the last one wins, with the one it goes with
    assert chosen(release="right") == "go left"
    assert chosen(press="j") == "jump"
    assert chosen(release="j up") == "left"
    assert chosen(press="q") == "go left"
    assert chosen(release="q left") == "coast"
    # A short press of both counts, too.
    assert chosen(press="w left", release="left w") == "go left"
    assert chosen() == "coast"
    assert number["coast"] == 0


def test_unknown_keys_do_nothing():
    player = Player(About(ActionKind.MULTI_DISCRETE))
    player.press("q")
    player.release("z")
    assert player.waiting
    assert player.decide().tolist() == [0, 0]


def test_turns_take_one_key_each():
    player = Player(About(ActionKind.MULTI_DISCRETE))
    player.press("a")
    player.press("w")
    assert player.decide_turn().tolist() == [1, 0]
    assert player.decide_turn().tolist() == [2, 0]
    assert player.waiting


def test_continuous_keys_ramp_and_return():
    about = About(ActionKind.CONTINUOUS)
    pair = (Choice("less", ("left",)), Choice("more", ("right",)))
    about.actions = (Action("turn", 0, pair),)
    player = Player(about)
    player.press("right")
    assert [player.decide().item() for _ in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]
    player.release("right")
    player.press("left")
    assert player.decide().item() == 0.75
    player.release_all()
    values = [player.decide().item() for _ in range(5)]
    assert values[-1] == 0
