"""A game that waits for the person's first key, and a tap for one decision, with real games and no clock."""

import numpy as np
import pytest

from pufftui.envs.catalogue import load_env
from pufftui.keys.game import game_keys
from pufftui.keys.grip import Grip
from pufftui.trainer.arena.arena import Arena
from pufftui.trainer.messages import command

OWN = 1
"""Where in pong's observation the middle of the own paddle stands."""


@pytest.fixture
def open_arena():
    """Opens arenas that nobody starts: a test moves their time."""
    arenas = []

    def begin(env, weights=lambda: None):
        library = load_env(env)
        arena = Arena(library, library.descriptor.parameter_values({}), weights, seed=1)
        arenas.append(arena)
        return arena

    yield begin
    for arena in arenas:
        arena.stop()


def tell(arena, *commands):
    for each in commands:
        arena._obey(each)


def pass_by(arena, seconds):
    """Game time passes in frames, as on the arena's thread."""
    for _ in range(round(seconds * 30)):
        arena._advance(1 / 30)
    arena._publish()
    return arena.latest


def state(arena):
    return arena._scene.game.vector.save()


def decisions(arena, number=1):
    """Seconds in which so many decisions are made."""
    return number / arena._descriptor.steps_per_second


def paddle(arena):
    seen = arena._scene.game.buffers.observations[arena._agent].view(np.float32)
    return float(seen[OWN])


@pytest.mark.parametrize("env", ["breakout", "cartpole", "pong"])
def test_a_game_that_a_person_plays_stands_still_until_the_first_key(open_arena, env):
    arena = open_arena(env)
    tell(arena, command.TakeOver(waits=True))
    before = state(arena)
    frame = pass_by(arena, 20.0)
    assert state(arena) == before
    assert (frame.human, frame.expecting, frame.waiting_for_key) == (True, True, True)
    assert arena._rest() > 0.01, "it draws at its rate, and does not look all the time"
    key = next(iter(game_keys(arena._descriptor)))
    tell(arena, command.PressKey(key))
    frame = pass_by(arena, 0.2)
    assert state(arena) != before
    assert (frame.human, frame.expecting, frame.waiting_for_key) == (True, False, False)
    assert arena._scene.game.figures["human_steps"][arena._agent] > 0


def test_any_other_key_begins_and_is_no_move(open_arena):
    arena = open_arena("breakout")
    tell(arena, command.TakeOver(waits=True), command.Begin())
    frame = pass_by(arena, 0.5)
    assert frame.episode_length > 5
    assert frame.action == (arena._descriptor.actions[0].neutral,)


def test_a_policy_does_not_wait_and_plays_on_where_the_world_does(open_arena):
    arena = open_arena("pong")
    before = state(arena)
    pass_by(arena, 0.5)
    assert state(arena) != before
    tell(arena, command.TakeOver(waits=True))
    pass_by(arena, 0.5)
    tell(arena, command.HandBack())
    before = state(arena)
    frame = pass_by(arena, 0.5)
    assert state(arena) != before
    assert not frame.expecting
    # On a dashboard, until the person's first key.
    tell(arena, command.TakeOver())
    before = state(arena)
    frame = pass_by(arena, 0.5)
    assert state(arena) != before
    assert (frame.human, frame.expecting, frame.waiting_for_key) == (True, True, False)
    assert not arena._scene.game.figures["human_steps"].any()
    tell(arena, command.PressKey("up"), command.ReleaseKey("up"))
    frame = pass_by(arena, 0.5)
    assert not frame.expecting
    assert frame.action == (arena._descriptor.actions[0].neutral,)
    assert arena._scene.game.figures["human_steps"][arena._agent] > 2


@pytest.mark.parametrize("held", [False, True])
def test_the_next_game_waits_unless_a_key_is_held(open_arena, held):
    arena = open_arena("cartpole")
    key = next(iter(game_keys(arena._descriptor)))
    tell(arena, command.TakeOver(waits=True), command.PressKey(key))
    if not held:
        tell(arena, command.ReleaseKey(key))
    for _ in range(100):
        frame = pass_by(arena, 0.1)
        if frame.finished:
            break
    assert frame.finished == 1
    frame = pass_by(arena, 5.0)
    assert frame.expecting is not held
    assert (frame.finished > 1) is held
    assert frame.waiting_for_key is not held


@pytest.mark.parametrize("key", ["up", "down"])
def test_a_nudge_moves_the_paddle_by_one_decision_and_not_again(open_arena, key):
    arena = open_arena("pong")
    grip = Grip(arena._descriptor)
    tell(arena, command.TakeOver(waits=True), command.Begin())
    arena._step()
    start, middle = arena._scene.game.save(), paddle(arena)

    def path(typed):
        """Where the paddle is after each of a few steps, before which a key is typed or not."""
        arena._scene.game.restore(start)
        found = []
        for shift in typed:
            if shift is not None:
                tell(arena, *grip.type(key, 0.0, shift=shift))
            arena._step()
            found.append(round((paddle(arena) - middle) / one))
        return found

    tell(arena, command.PressKey(key))
    arena._step()
    one = paddle(arena) - middle
    tell(arena, command.ReleaseKey(key))
    assert abs(one) > 0.01
    assert path([True, None, None]) == [1, 1, 1]
    assert path([True, None, True]) == [1, 1, 2]
    # Without Shift it stays down, and a nudge ends that.
    assert path([False, None, None]) == [1, 2, 3]
    assert path([True, None, None]) == [1, 1, 1]
