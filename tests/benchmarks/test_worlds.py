"""The worlds of benchmarks/worlds: repeatable, and as hard and as solvable as their table says."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from pufftui.envs.library import load_library

WORLDS = Path(__file__).parents[2] / "benchmarks" / "worlds"
sys.path.insert(0, str(WORLDS))

from play import Randomly, play  # noqa: E402
from scripts import SCRIPTS  # noqa: E402
from suite import SUITE, halves  # noqa: E402

AGENTS = 256


@pytest.fixture(scope="module")
def built(compiler):
    """Compiles a world without optimising, which takes longer than the games here."""
    return lambda name: load_library(compiler.library(f"benchmarks/worlds/{name}/{name}.c", "-O0"))


def near(scores, wanted):
    """Whether a table's figure, rounded to three digits, can be the mean that these are drawn from."""
    error = scores.std() / len(scores) ** 0.5 + 0.01 * np.abs(scores).mean()
    return abs(scores.mean() - wanted) < 5 * error + 0.002


@pytest.mark.parametrize("name", SUITE)
def test_scores(built, name):
    library, world = built(name), SUITE[name]
    environments = AGENTS // library.descriptor.agents

    def at_random():
        return play(library, Randomly(library.descriptor), environments=environments, seed=2)

    random = at_random()
    assert np.array_equal(random, at_random())
    good = play(library, SCRIPTS[name](AGENTS), environments=environments, seed=2)
    assert near(random, world.random), random.mean()
    assert near(good, world.good), good.mean()
    assert world.best >= world.good
    low, high = library.descriptor.score_low, library.descriptor.score_high
    for scores in (random, good):
        assert low <= scores.min()
        assert scores.max() <= high


def test_the_suite_is_what_lies_there():
    assert {path.stem for path in WORLDS.glob("*/*.c")} == set(SUITE) == set(SCRIPTS)
    # Settings of a world's own would hide what the defaults do there.
    assert not list(WORLDS.glob("*/*.toml"))


def test_each_kind_is_in_both_halves():
    working, judging = halves()
    assert len(working) == len(judging) == 10
    assert [SUITE[name].kind for name in working] == [SUITE[name].kind for name in judging]
