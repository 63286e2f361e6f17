"""Whether the policies that come with the games play well, and whether the defaults still learn as they did.

The second is slow: `make slow` trains every game again, from nothing, with its defaults.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from pufftui.envs.catalogue import env_names, load_env
from pufftui.trainer.evaluation.evaluate import evaluate
from pufftui.trainer.evaluation.plan import CAP, Plan
from pufftui.trainer.evaluation.players import NumpyPlayer
from pufftui.trainer.run.baseline import BaselineCurve, has_baseline, read_curve
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.run.naming import find_policy
from pufftui.trainer.store import StoreReader

GAMES = [name for name in env_names() if has_baseline(name)]

LEAST = {
    "breakout": 400,
    "cartpole": 195,
    "enduro": 150,
    "nmmo": 3,
    "pong": 18,
    "school": -0.3,
    "shared_pool": 20,
    "snake": 1,
    "squared": 0.8,
}
"""What each reaches whatever its luck, and random moves never: the mean score of a few episodes, or, in games with a
window, what an agent is paid in it."""

WINDOW = {"snake": 256, "school": 256, "enduro": 2048}
"""Steps; episodes of these games last long, or are many side by side."""

ALLOWED = 0.2
"""The share of the way from a baseline's first score to its best that a training may fall behind, on average over all
its steps and at its end. Seeds alone make up to 0.13 (snake); half as much learned is 0.5."""

LAST = 0.1
"""The share of a training that is its end."""


@pytest.mark.parametrize("game", GAMES)
def test_a_baseline_plays_well(game: str) -> None:
    policy, library = find_policy(f"baseline:{game}"), load_env(game)
    agents, window = library.descriptor.agents, WINDOW.get(game)
    plan = Plan(1, -(-16 // agents), agents, 1, window or CAP, window=bool(window))
    player = partial(NumpyPlayer, weights=policy.weights())
    played = evaluate(library, policy.config().parameters, plan, lambda _steps: player)
    figures = played.counted["episode_return" if window else "score"]
    assert figures.mean() >= LEAST[game]


@dataclass(frozen=True, slots=True)
class Behind:
    """How far a training is behind a baseline: scores on average over all steps, and at the end."""

    score: tuple[float, float]
    known: tuple[float, float]
    way: float

    @property
    def most(self) -> float:
        """As a share of the baseline's way, by whichever is more."""
        return max(
            (known - now) / self.way for now, known in zip(self.score, self.known, strict=True)
        )

    def __str__(self) -> str:
        (mean, end), (known_mean, known_end) = self.score, self.known
        return (
            f"on average {mean:.4g} where the baseline has {known_mean:.4g}, at the end {end:.4g} where it has "
            f"{known_end:.4g}: {self.most:.0%} of its way behind, {ALLOWED:.0%} are allowed"
        )


def behind(baseline: BaselineCurve, steps: np.ndarray, scores: np.ndarray) -> Behind:
    """Compares scores after so many steps with those of a baseline after as many."""
    grid = np.linspace(baseline.steps[0], baseline.steps[-1], 1000)
    known = np.interp(grid, baseline.steps, baseline.scores)
    now = np.interp(grid, steps, scores)
    last = int(len(grid) * LAST)
    return Behind(
        (float(now.mean()), float(now[-last:].mean())),
        (float(known.mean()), float(known[-last:].mean())),
        max(baseline.scores) - baseline.scores[0],
    )


STEPS = np.arange(1.0, 101.0)
RISING = np.minimum(STEPS, 50) * 4


@pytest.mark.parametrize(
    ("scores", "is_worse"),
    [
        (RISING, False),
        (RISING * 0.9, False),
        (RISING * 1.5, False),
        (RISING * 0.5, True),
        (np.minimum(STEPS, 100) * 2, True),
        (np.where(STEPS > 85, 100, RISING), True),
    ],
    ids=["alike", "a little worse", "better", "half", "half as soon", "lost again"],
)
def test_a_drop_in_learning_is_told_from_chance(scores: np.ndarray, is_worse: bool) -> None:
    baseline = BaselineCurve(STEPS.tolist(), STEPS.tolist(), RISING.tolist())
    found = behind(baseline, STEPS, scores)
    assert (found.most > ALLOWED) is is_worse, found


@pytest.mark.slow
@pytest.mark.parametrize("game", GAMES)
def test_the_defaults_learn_as_well_as_they_did(game: str, tmp_path: Path) -> None:
    """With the seed of the baseline: where nothing has changed, on the same processor, it is the same training."""
    seed = find_policy(f"baseline:{game}").config().run.seed
    subprocess.run(
        [
            *(sys.executable, "-m", "pufftui", "train", game, "--headless"),
            *("--seed", str(seed), "--run-name", "again", "--device", "cpu"),
        ],
        env=os.environ | {"PUFFTUI_RUNS": str(tmp_path)},
        check=True,
        capture_output=True,
    )
    reader = StoreReader(RunFolder(tmp_path / "again").database)
    blocks = reader.metrics_between(points=1_000_000, only=["score"])
    reader.close()
    score = blocks.mean["score"].astype(np.float64)
    known = ~np.isnan(score)
    baseline = read_curve(game)
    assert baseline is not None
    found = behind(baseline, blocks.first_steps[known].astype(np.float64), score[known])
    assert found.most <= ALLOWED, f"{game} with seed {seed}: {found}"
