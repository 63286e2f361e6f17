"""Pictures of games that are a grid: each column and row of it is equally many pixels, where there is room."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.geometry import Region

from pufftui.envs.catalogue import load_env
from pufftui.layout.cockpit import arrange, arrange_play
from pufftui.terminal.pictures import Pixels, places
from pufftui.trainer.arena.game import Game

SIZES = [(80, 24), (100, 30), (120, 40), (200, 60)]


def drawn(name: str, width: int, height: int, *, training: bool) -> Pixels:
    """The first picture of a game as it lies on a screen of so many cells."""
    library = load_env(name)
    descriptor = library.descriptor
    game = Game(library, descriptor.parameter_values({}), seed=3)
    plan = (arrange if training else arrange_play)(width, height, descriptor.picture_aspect)
    panel, top = plan.regions["game"], 2 if plan.roomy else 1
    area = Region(1, top, panel.width - 2, panel.height - top)
    lies = places(area, descriptor.picture_aspect, 1, descriptor.picture_columns).pictures[0]
    game.step(np.zeros_like(game.decide()))
    picture = game.draw(0, 0.0, lies.width, 2 * lies.height)
    game.close()
    return picture


def lengths(line: Pixels, colour: tuple[int, int, int]) -> set[int]:
    """How long the runs of a colour are in a row or column of pixels, (length, 3)."""
    runs = groupby(line.tolist(), key=lambda pixel: tuple(pixel) == colour)
    return {len(list(run)) for is_colour, run in runs if is_colour}


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_bricks_are_equally_wide_and_high(size: tuple[int, int], training: bool) -> None:
    picture = drawn("breakout", *size, training=training)
    orange = (0xD5, 0x5E, 0)
    rows = np.flatnonzero((picture == orange).all(axis=2).any(axis=1))
    assert len(lengths(picture[rows[0]], orange)) == 1
    column = picture[:, np.flatnonzero((picture[rows[0]] == orange).all(axis=1))[0]]
    colours = [(0xE6, 0x9F, 0), (0xF0, 0xE4, 0x42), (0x2F, 0xB4, 0x88), (0x56, 0xB4, 0xE9)]
    assert len({next(iter(lengths(column, colour))) for colour in [orange, *colours]}) == 1


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["squared", "shared_pool"])
def test_tiles_are_equally_wide_and_high(name: str, size: tuple[int, int], training: bool) -> None:
    picture = drawn(name, *size, training=training)
    colour = {"squared": (0x1A, 0x20, 0x2B), "shared_pool": (0x59, 0x62, 0x6F)}[name]
    places_of = (picture == colour).all(axis=2)
    row, column = places_of.sum(axis=1).argmax(), places_of.sum(axis=0).argmax()
    widths = lengths(picture[row], colour) | lengths(picture[:, column], colour)
    least = min(widths)
    # What is in front of a tile, or one colour over several, does not count.
    assert len({width for width in widths if width < 2 * least}) == 1


@given(st.integers(1, 300), st.integers(1, 100), st.integers(1, 60), st.floats(0.3, 3))
def test_a_picture_keeps_most_of_its_size(
    width: int, height: int, columns: int, aspect: float
) -> None:
    area = Region(3, 2, width, height)
    free, whole = places(area, aspect, 1).pictures[0], places(area, aspect, 1, columns).pictures[0]
    assert area.contains_region(whole)
    assert whole.width >= 0.75 * free.width
    assert whole.width % columns == 0 or free.width // columns * columns < 0.75 * free.width


def test_a_finer_unit_than_a_pixel_changes_nothing() -> None:
    area = Region(0, 0, 137, 43)
    assert places(area, 1.7, 1, 1600) == places(area, 1.7, 1)
