"""What a game says to people on its way to the screen, and whom a person plays, now and when it is seen again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from pufftui.envs.catalogue import load_env
from pufftui.envs.library import EnvLibrary, load_library
from pufftui.envs.words import RowKind
from pufftui.trainer.arena.arena import Arena
from pufftui.trainer.arena.game import Game
from pufftui.trainer.arena.tape import Tape
from pufftui.trainer.messages import command

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Compiler

    from pufftui.trainer.messages.frame import ArenaFrame


@pytest.fixture
def talker(compiler: Compiler) -> EnvLibrary:
    return load_library(compiler.library("tests/c/talker.c"))


def play(tape: Tape, steps: int, person: int | None = None) -> None:
    for _ in range(steps):
        actions = tape.decide()
        actions[:] = 1
        tape.play(actions, person)


def test_a_game_knows_its_person_also_when_it_is_seen_again(talker: EnvLibrary) -> None:
    tape = Tape(Game(talker, {}, seed=1))
    game = tape.game
    play(tape, 5)
    play(tape, 7, person=4)
    play(tape, 3)
    seen = game.buffers.observations.copy()
    assert seen[:, 0].tolist() == [7 if agent == 4 else 0 for agent in range(game.agents)]
    tape.seek(2)
    assert not game.buffers.observations.any()
    tape.seek(15)
    assert (game.buffers.observations == seen).all()


def test_a_story_is_told_once_and_of_the_watched_agent_all(talker: EnvLibrary) -> None:
    tape = Tape(Game(talker, {}, seed=1))
    game = tape.game
    game.watched = 4
    play(tape, 1)
    own = [story for story in game.told if story.agent == 4]
    assert [story.text.split()[0] for story in own] == ["steps", "rings\a", "0" * 79]
    assert len(game.told) == 2 * game.agents + 1
    play(tape, 20)
    tape.seek(3)
    tape.seek(21)
    assert game.told == []


def wait_for(arena: Arena, condition: Callable[[ArenaFrame], bool]) -> ArenaFrame:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        frame = arena.latest
        if frame is not None and condition(frame):
            return frame
        time.sleep(0.005)
    raise AssertionError("it did not happen in time")


def test_a_frame_has_the_sheet_the_stories_and_the_view(talker: EnvLibrary) -> None:
    arena = Arena(talker, {}, lambda: None, seed=1)
    arena.start()
    try:
        frame = wait_for(arena, lambda f: f.number > 3)
        assert (frame.sheet, frame.stories, frame.view) == ((), (), 0)  # nobody looks
        arena.send(command.SetPictureSize(4, 4))
        frame = wait_for(arena, lambda f: bool(f.sheet and f.stories))
        assert frame.sheet[1].kind is RowKind.TITLE
        assert (frame.pixels[0, 0] == (0, 0, 255)).all()
        arena.send(command.NextView())
        frame = wait_for(arena, lambda f: f.view == 1)
        assert (frame.pixels[0, 0] == (255, 0, 0)).all()
        arena.send(command.NextView())
        wait_for(arena, lambda f: f.view == 0)
    finally:
        arena.stop()


def test_where_there_is_one_view_there_is_no_next() -> None:
    library = load_env("breakout")
    arena = Arena(library, library.descriptor.parameter_values({}), lambda: None)
    arena._obey(command.NextView())
    arena._publish()
    assert arena.latest is not None
    assert arena.latest.view == 0
    arena.stop()


def test_a_person_in_nmmo_is_where_it_went_for_as_long_as_it_plays() -> None:
    """Others are moved now and then, and begin anew after 500 ticks without progress."""
    library = load_env("nmmo")
    game = Game(library, library.descriptor.parameter_values({}), seed=3)
    stay = library.descriptor.actions[0].neutral
    ended: set[int] = set()
    for _ in range(520):
        actions = game.decide()
        actions[:] = stay
        agents = game.step(actions, 5)
        ended |= set(agents)
        if 5 in agents:  # an enemy came by
            return
    assert len(ended) > 100
    assert 5 not in ended
