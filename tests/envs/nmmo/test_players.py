"""The scripted players of nmmo: their scores, how they are measured, and that the market is used.

The players are in C, tests/c/nmmo_players.h, and play by what a policy sees.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from pufftui.envs.catalogue import load_env

if TYPE_CHECKING:
    from conftest import Compiler

GATHERER, FIGHTER, TRADER = range(3)
SCORES = {GATHERER: 2.05, FIGHTER: 2.34, TRADER: 2.46}
"""Means over ended lives in the small world."""


@dataclass(frozen=True)
class Played:
    """Lives in the order of their ends: seats, lengths, scores (lives,), statistics (lives, 24)."""

    seats: NDArray[np.int64]
    lengths: NDArray[np.int64]
    scores: NDArray[np.float64]
    statistics: NDArray[np.float64]
    living: float

    def statistic(self, name: str) -> NDArray[np.float64]:
        return self.statistics[:, load_env("nmmo").descriptor.statistics.index(name)]


@pytest.fixture
def program(compiler: Compiler) -> Path:
    return compiler.build("tests/c/nmmo_scores.c", "-O2", f"-I{compiler.root}/envs/nmmo")


def play(program: Path, script: int, ticks: int, seed: int = 1, preset: int = 0) -> Played:
    command = [str(program), *map(str, (script, ticks, seed, preset))]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    *lives, last = said.splitlines()
    rows = np.array([life.split() for life in lives], float)
    return Played(
        seats=rows[:, 0].astype(np.int64),
        lengths=rows[:, 1].astype(np.int64),
        scores=rows[:, 2],
        statistics=rows[:, 3:],
        living=float(last.split()[2]),
    )


@pytest.mark.parametrize("script", SCORES)
def test_scores_as_stated(program: Path, script: int):
    played = play(program, script, 6_000)
    assert played.scores.mean() == pytest.approx(SCORES[script], rel=0.12)
    assert played.statistic("level_of_the_living").mean() == pytest.approx(played.living, rel=0.1)


def first_lives(played: Played, count: int) -> NDArray[np.float64]:
    """Scores of as many lives of each seat as are counted, each to its end: what an evaluation does."""
    scores = [played.scores[played.seats == seat][:count] for seat in np.unique(played.seats)]
    assert all(len(each) == count for each in scores)
    return np.concatenate(scores)


def error(scores: NDArray[np.float64]) -> float:
    return float(scores.std() / len(scores) ** 0.5)


def test_a_score_does_not_depend_on_how_long_one_looks(program: Path):
    """Lives that are counted beforehand agree, few or many; lives that end in a short while do not."""
    played = play(program, FIGHTER, 15_000)
    few, many = first_lives(played, 1), first_lives(played, 8)
    assert abs(few.mean() - many.mean()) < 4 * np.hypot(error(few), error(many))
    hasty = play(program, FIGHTER, 100).scores
    assert hasty.mean() < many.mean() - 4 * np.hypot(error(hasty), error(many))


def test_the_market_is_used(program: Path):
    played = play(program, TRADER, 5_000)
    sold, gold = played.statistic("sold"), played.statistic("gold_for_sales")
    assert sold.mean() > 0.1
    assert gold.sum() >= sold.sum()
    assert play(program, FIGHTER, 2_000).statistic("sold").sum() == 0


def test_a_large_world_is_the_same_game(program: Path):
    small = play(program, FIGHTER, 6_000)
    full = play(program, FIGHTER, 1_500, preset=1)
    assert full.seats.max() > 1000
    assert first_lives(small, 1).mean() == pytest.approx(full.scores.mean(), rel=0.35)
