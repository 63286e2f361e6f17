"""What environments tell people: the sheet beside a picture, stories, views, what statistics mean; and who is a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from pufftui.envs.library import MAX_STATISTICS, EnvLibrary, load_library
from pufftui.envs.vector import StepBuffers, VectorEnv
from pufftui.envs.words import RowKind, SheetRow, Story, StoryListener, Weight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Compiler

AGENTS = 3


@pytest.fixture
def talker(compiler: Compiler) -> EnvLibrary:
    return load_library(compiler.library("tests/c/talker.c"))


@pytest.fixture
def vector(talker: EnvLibrary) -> Iterator[VectorEnv]:
    with VectorEnv(talker, {}, environments=4, groups=2, threads=2) as vector:
        yield vector


def begun(vector: VectorEnv) -> StepBuffers:
    buffers = vector.buffers()
    vector.reset(1, buffers)
    return buffers


def test_a_sheet_is_read_row_by_row_and_nonsense_in_it_is_nothing(vector: VectorEnv) -> None:
    buffers = begun(vector)
    vector.step(1, buffers)
    vector.step(1, buffers)
    sheet = vector.describe(2, 1)
    assert sheet[0] == SheetRow(RowKind.BAR, "steps", "2/8", share=0.25, colour=0x00FF00)
    assert sheet[1].kind is RowKind.TITLE
    assert len(sheet[1].label) == 39
    assert sheet[2] == SheetRow(RowKind.FACT, "go", "costs 5", choice=1, colour=0x112233)
    assert sheet[3] == SheetRow(RowKind.FAINT, "\x1b[2Jnothing")
    assert sheet[4] == SheetRow(RowKind.FACT, "odd")
    assert len(sheet) == 64
    assert vector.describe(0, 0)[0].value == "0/8"


def test_stories_are_heard_by_who_listens_each_once(vector: VectorEnv) -> None:
    buffers = begun(vector)
    buffers.actions[[1, 4]] = 1
    vector.step(1, buffers)
    listener = StoryListener(2, AGENTS)
    listener.watch(4)
    assert listener.heard() == []  # nobody listened yet
    buffers.attend(None, listener)
    vector.step(1, buffers)
    told = listener.heard()
    assert [(story.agent, story.weight) for story in told] == [
        (1, Weight.TALK),
        (1, Weight.NEWS),
        (4, Weight.OWN),
        (4, Weight.TALK),
        (4, Weight.NEWS),
    ]
    assert told[2] == Story(4, Weight.OWN, "steps 2 times")
    assert told[0].text == "rings\a and\x1b[31m reddens \ufffd"
    assert told[1].text == "0" * 79
    assert listener.heard() == []
    buffers.attend(None, None)
    vector.step(1, buffers)
    assert listener.heard() == []


def test_of_too_many_stories_the_newest_are_kept(vector: VectorEnv) -> None:
    buffers, listener = begun(vector), StoryListener(2, AGENTS)
    buffers.actions[0] = 1
    buffers.attend(None, listener)
    for _ in range(200):
        vector.step(1, buffers)
    told = listener.heard()
    assert len(told) == 256
    assert told[-3].text == "steps 200 times"


def test_listening_changes_no_byte_of_the_game(talker: EnvLibrary) -> None:
    states = []
    for listens in (False, True):
        with VectorEnv(talker, {}, environments=2) as vector:
            buffers = vector.buffers()
            vector.reset(0, buffers)
            buffers.actions[:] = 1
            buffers.attend(None, StoryListener(2, AGENTS) if listens else None)
            for _ in range(20):
                vector.step(0, buffers)
            states.append((vector.save(), buffers.observations.tobytes()))
    assert states[0] == states[1]


def test_an_environment_knows_whom_persons_play(vector: VectorEnv) -> None:
    buffers, persons = begun(vector), np.zeros(2 * AGENTS, np.uint8)
    persons[4] = 1
    vector.step(1, buffers)
    buffers.attend(persons, None)
    vector.step(1, buffers)
    assert buffers.observations[:, 0].tolist() == [0, 0, 0, 0, 1, 0]
    buffers.attend(None, None)
    vector.step(1, buffers)
    assert buffers.observations[:, 0].tolist() == [0, 0, 0, 0, 1, 0]


def test_views_meanings_and_all_statistics(talker: EnvLibrary, vector: VectorEnv) -> None:
    descriptor = talker.descriptor
    assert descriptor.views == ("near", "far")
    assert descriptor.fills_any_shape
    assert descriptor.describes
    assert (descriptor.meanings[0], descriptor.meanings[-1]) == ("The first.", "Last.")
    pixels = np.zeros((2, 3, 3), np.uint8)
    for view, colour in ((0, (0, 0, 255)), (1, (255, 0, 0))):
        vector.draw(0, 0, 0.5, pixels, view)
        assert (pixels == colour).all()
    buffers = begun(vector)
    for _ in range(4):
        vector.step(1, buffers)
    report = vector.drain()
    assert report.episodes["statistics"].shape == (2, MAX_STATISTICS)
    assert report.episodes["statistics"][:, -1].tolist() == [24, 24]
    assert report.sums[-1] == 48


def test_who_does_not_describe_has_no_sheet(compiler: Compiler) -> None:
    silent = load_library(compiler.library("tests/c/coin.c"))
    descriptor = silent.descriptor
    assert (descriptor.describes, descriptor.views, descriptor.meanings) == (False, (), ())
    parameters = {each.name: each.default for each in descriptor.parameters}
    with VectorEnv(silent, parameters, environments=1) as vector:
        assert vector.describe(0, 0) == ()
