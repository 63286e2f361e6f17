"""Pointing at an agent in the picture finds the one that is drawn there."""

import numpy as np
import pytest

from pufftui.envs.catalogue import load_env
from pufftui.envs.vector import VectorEnv

SIZE = (180, 100)


def world_after(env, steps):
    library = load_env(env)
    descriptor = library.descriptor
    vector = VectorEnv(library, descriptor.parameter_values({}), environments=1, seed=3)
    buffers = vector.buffers()
    vector.reset(0, buffers)
    random = np.random.default_rng(1)
    choices = len(descriptor.actions[0].choices)
    for _ in range(steps):
        buffers.actions[:] = random.integers(0, choices, buffers.actions.shape)
        vector.step(0, buffers)
    return vector


def drawn(vector, agent, phase):
    pixels = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    vector.draw(0, agent, phase, pixels)
    return pixels.astype(int)


@pytest.mark.parametrize("phase", [0.0, 0.6])
def test_in_shared_pool_everybody_is_where_the_picture_changes(phase):
    """The watched agent is drawn larger and white: so two viewers' pictures differ at both."""
    vector = world_after("shared_pool", 6)
    agents = vector.descriptor.agents
    for viewer in range(agents):
        for other in range(agents):
            differs = (drawn(vector, viewer, phase) != drawn(vector, other, phase)).any(axis=2)
            differs[-12:] = False  # the bars below the field
            rows, columns = np.nonzero(differs)
            found = {
                vector.locate(0, viewer, phase, SIZE, x + 0.5, y + 0.5)
                for x, y in zip(columns, rows, strict=True)
            }
            assert {viewer, other} <= found or viewer == other
            assert found <= {viewer, other} or len(found) <= 4  # some stand side by side


def test_in_snake_every_body_and_head_has_the_colour_of_its_snake():
    colours = {
        (0x3F, 0x78, 0xC0): 0,
        (0x8A, 0x63, 0xC9): 1,
        (0x2F, 0x9A, 0xA8): 2,
        (0x6B, 0x7F, 0xD6): 3,
    }
    vector, seen = world_after("snake", 40), set()
    for viewer in range(0, 256, 5):
        pixels = drawn(vector, viewer, 0.999)
        for y, x in np.ndindex(pixels.shape[:2]):
            kind = colours.get(tuple(pixels[y, x]))
            if kind is not None:
                found = vector.locate(0, viewer, 0.999, SIZE, x + 0.5, y + 0.5)
                assert found is not None
                assert found % 4 == kind
                seen.add(found)
            elif tuple(pixels[y, x]) == (0xFF, 0xF4, 0xC8):
                assert vector.locate(0, viewer, 0.999, SIZE, x + 0.5, y + 0.5) == viewer
    assert len(seen) > 20


def test_in_school_the_watched_unit_is_in_the_middle_and_others_around_it():
    vector = world_after("school", 30)
    for viewer in (0, 11, 256, 511):
        column = {vector.locate(0, viewer, 0.5, SIZE, 90, y) for y in range(0, 60, 2)}
        assert viewer in column
    assert vector.locate(0, 0, 0.5, SIZE, 90, 0) is None  # the sky


def test_nobody_is_found_where_nobody_is_or_can_be():
    snake = world_after("snake", 3)
    for x, y in ((-5, 10), (10, -1e9), (1e9, 4), (np.nan, 3)):
        assert snake.locate(0, 3, 0.5, SIZE, x, y) is None
    breakout = world_after("breakout", 3)
    assert not breakout.descriptor.locates
    assert breakout.locate(0, 0, 0.5, SIZE, 5, 5) is None
