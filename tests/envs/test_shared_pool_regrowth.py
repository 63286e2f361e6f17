"""How much food grows back, and where, in shared_pool: C against one random number for each try.

C draws how many tries fail before the next one succeeds. The reference is slow and obvious: every
food, every empty neighbour, a random number.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pufftui.envs.catalogue import load_env
from pufftui.envs.vector import VectorEnv

SIDE, AGENTS = 32, 8
EMPTY, NORMAL, SHARED, WALL, OTHER = range(5)
FOOD = np.dtype(
    [
        *(("log_failure", np.float64), ("failures", np.int64), ("count", np.int32)),
        ("places", np.uint16, (26 * 26,)),
    ],
    align=True,
)
FOODS_AT = 16  # after the random generator and what is shared
AGENTS_AT = FOODS_AT + 2 * FOOD.itemsize
CELLS_AT = AGENTS_AT + AGENTS * 6 * 4 + 2 * 4


def garden(normal: int, shared: int) -> NDArray[np.uint8]:
    """A field with so much food in it, in clumps, with agents along its upper edge."""
    rng = np.random.default_rng(normal)
    cells = np.full((SIDE, SIDE), WALL, np.uint8)
    cells[3:-3, 3:-3] = EMPTY
    cells[3, 3 : 3 + AGENTS] = OTHER
    for kind, count in ((NORMAL, normal), (SHARED, shared)):
        while (cells == kind).sum() < count:
            row, column = rng.integers(4, 16), rng.integers(3, 20)
            if cells[row, column] == EMPTY:
                cells[row, column] = kind
    return cells


def plant(memory: NDArray[np.uint8], cells: NDArray[np.uint8]) -> None:
    """Puts a garden into C's state; what random numbers are due stays as it is."""
    memory[CELLS_AT : CELLS_AT + SIDE * SIDE] = cells.ravel()
    foods = memory[FOODS_AT:AGENTS_AT].view(FOOD)
    for kind in (NORMAL, SHARED):
        places = np.flatnonzero(cells == kind)
        foods[kind - 1]["count"] = len(places)
        foods[kind - 1]["places"][: len(places)] = places
    agents = memory[AGENTS_AT : CELLS_AT - 8].view(np.int32).reshape(AGENTS, 6)
    agents[:, 0] = np.flatnonzero(cells == OTHER)
    agents[:, 1] = 80
    memory[CELLS_AT - 8 : CELLS_AT].view(np.int32)[:] = 0, AGENTS


def grown_in_c(
    cells: NDArray[np.uint8], regrowth: float, steps: int, samples: int
) -> Iterator[NDArray[np.uint8]]:
    """Fields as they are after some steps in which nobody moves."""
    parameters = {"regrowth": regrowth, "sharing": 0.0}
    with VectorEnv(load_env("shared_pool"), parameters, environments=250, seed=11) as env:
        buffers: Any = env.buffers()
        env.reset(0, buffers)
        buffers.actions[:] = 4
        for _ in range(samples // 250):
            for i in range(250):
                plant(env.state(i), cells)
            for _ in range(steps):
                env.step(0, buffers)
            for i in range(250):
                memory = env.state(i)[CELLS_AT : CELLS_AT + SIDE * SIDE]
                yield memory.reshape(SIDE, SIDE).copy()


def grown_plainly(
    cells: NDArray[np.uint8], regrowth: float, steps: int, samples: int
) -> Iterator[list[list[int]]]:
    """The same, try by try."""
    dice = random.Random(12)
    for _ in range(samples):
        field = cells.tolist()
        for _ in range(steps):
            for kind, chance in ((NORMAL, regrowth), (SHARED, regrowth / 10)):
                foods = [(r, c) for r in range(SIDE) for c in range(SIDE) if field[r][c] == kind]
                grown = [
                    (row, column)
                    for r, c in foods
                    for row in (r - 1, r, r + 1)
                    for column in (c - 1, c, c + 1)
                    if field[row][column] == EMPTY and dice.random() < chance
                ]
                for row, column in grown:
                    field[row][column] = kind
        yield field


def counts_of(fields: Iterator[Any], kind: int) -> NDArray[np.int64]:
    return np.array([(np.asarray(field) == kind).sum() for field in fields])


def assert_alike(one: NDArray[np.int64], other: NDArray[np.int64]) -> None:
    """Chi-square of two histograms, neighbouring values together until there are enough of them."""
    edges, waiting = [], 0
    for value in range(min(one.min(), other.min()), max(one.max(), other.max()) + 1):
        waiting += (one == value).sum() + (other == value).sum()
        if waiting >= 40:
            edges.append(value)
            waiting = 0
    assert len(edges) >= 2
    bins = [-np.inf, *(edge + 0.5 for edge in edges[:-1]), np.inf]
    a, b = np.histogram(one, bins)[0], np.histogram(other, bins)[0]
    scale = math.sqrt(len(other) / len(one))
    chi_square = ((a * scale - b / scale) ** 2 / (a + b)).sum()
    freedom = len(a) - 1
    # The chance of more, if they are alike, is below one in a thousand.
    assert chi_square < freedom + 3.1 * math.sqrt(2 * freedom) + 6


@pytest.mark.parametrize(
    ("regrowth", "normal", "shared"), [(0.002, 33, 13), (0.02, 33, 60), (0.2, 5, 20)]
)
def test_as_much_grows_in_a_step(regrowth: float, normal: int, shared: int):
    cells = garden(normal, shared)
    fields = list(grown_in_c(cells, regrowth, 1, 10_000))
    plain = list(grown_plainly(cells, regrowth, 1, 4_000))
    for kind in (NORMAL, SHARED):
        assert_alike(counts_of(iter(fields), kind), counts_of(iter(plain), kind))


def test_as_much_grows_in_many_steps():
    """What has grown takes part, and one step's luck says nothing about the next one's."""
    cells = garden(4, 2)
    for kind in (NORMAL, SHARED):
        fields = counts_of(grown_in_c(cells, 0.02, 12, 5_000), kind)
        plain = counts_of(grown_plainly(cells, 0.02, 12, 800), kind)
        assert_alike(fields, plain)


def test_every_cell_has_its_chance():
    cells, regrowth, samples = garden(40, 0), 0.02, 30_000
    grown = np.zeros((SIDE, SIDE))
    for field in grown_in_c(cells, regrowth, 1, samples):
        grown += (field == NORMAL) & (cells != NORMAL)
    for row, column in np.ndindex(SIDE, SIDE):
        expected = 0.0
        if cells[row, column] == EMPTY:
            foods = (cells[row - 1 : row + 2, column - 1 : column + 2] == NORMAL).sum()
            expected = 1 - (1 - regrowth) ** foods
        spread = math.sqrt(samples * expected * (1 - expected))
        assert abs(grown[row, column] - samples * expected) <= 4.5 * spread
