"""The recipe of the baselines, with a training of a moment and evaluations that are made up."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from by_path import benchmark

from pufftui.envs.catalogue import EnvFolder, load_env
from pufftui.trainer.run.baseline import read_curve
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.run.naming import find_policy
from pufftui.trainer.run.settings_file import write_settings
from pufftui.trainer.runner import Runner
from pufftui.trainer.settings.fields import (
    Config,
    PolicyConfig,
    RunConfig,
    TrainConfig,
    VecConfig,
)


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """benchmarks/baselines.py, whose baselines all lie in one folder of the test."""
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path))
    monkeypatch.setattr(EnvFolder, "baseline", tmp_path / "baseline")
    return benchmark("baselines")


def train(name: str, seed: int, total_steps: int = 8192) -> RunFolder:
    library = load_env("cartpole")
    config = Config(
        "cartpole",
        library.descriptor.parameter_values({}),
        TrainConfig(horizon=16, minibatch_size=256, total_steps=total_steps),
        PolicyConfig(memory="none", hidden=16),
        VecConfig(agents=64),
        RunConfig(name=name, seed=seed, device="cpu"),
    )
    folder = RunFolder.create(name, "cartpole")
    write_settings(folder, config)
    runner = Runner(config, folder, library)
    runner.start()
    end = time.monotonic() + 60
    while not runner.join(0.01):
        assert time.monotonic() < end
    folder.release()
    return folder


def score(mean: float) -> dict[str, Any]:
    return {"env": "cartpole", "score": {"mean": mean, "low": mean - 1, "high": mean + 1}}


def candidates(recipe: ModuleType, means: list[float]) -> list[Any]:
    folder = train("cartpole-1", 1)
    saved = recipe.finished(folder)
    first = recipe.Candidate(1, folder, saved, score(means[0]))
    more = [replace(first, seed=seed, evaluation=score(means[seed - 1])) for seed in (2, 3)]
    return [first, *more]


@pytest.mark.parametrize(("half_is_worse", "numbers"), [(False, "float16"), (True, "float32")])
def test_numbers_are_short_unless_the_policy_plays_worse(
    recipe: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    half_is_worse: bool,
    numbers: str,
) -> None:
    def evaluate(game: str, policy: str, *more: str) -> dict[str, Any]:
        assert (policy, more) == ("baseline:cartpole", ("--against", "cartpole-1"))
        arrays = find_policy(policy).saved.arrays
        short = arrays["policy/heads.weight"].dtype == np.float16
        high = -0.1 if short and half_is_worse else 0.2
        return {**score(20.123456789), "against": {"difference": {"score": {"high": high}}}}

    monkeypatch.setattr(recipe, "evaluate", evaluate)
    three = candidates(recipe, [20, 10, 30])
    recipe.ship("cartpole", three[0], three)

    policy = find_policy("baseline:cartpole")
    saved = three[0].saved
    assert {array.dtype.name for array in policy.saved.arrays.values()} == {numbers}
    assert set(policy.saved.arrays) == {n for n in saved.arrays if n.startswith("policy/")}
    for name, array in policy.saved.arrays.items():
        np.testing.assert_allclose(array, saved.arrays[name], rtol=1e-3, atol=1e-6)
    assert policy.step == saved.description["step"]
    assert policy.weights().hidden == 16
    curve = read_curve("cartpole")
    assert curve is not None
    assert curve.steps[-1] == 8192
    folder = tmp_path / "baseline"
    evaluation, made = (
        json.loads((folder / f"{name}.json").read_text()) for name in ("evaluation", "made")
    )
    assert evaluation["score"]["mean"] == 20.1235
    assert "against" not in evaluation
    assert (made["command"], made["numbers"]) == ("pufftui train cartpole --seed 1", numbers)
    assert [found["score"]["mean"] for found in made["seeds"].values()] == [20, 10, 30]


def test_a_baseline_stays_until_the_next_one_is_whole(
    recipe: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, half = tmp_path / "baseline", tmp_path / "baseline.before"
    folder.mkdir()
    (folder / "kept").write_text("of before")
    three = candidates(recipe, [20, 10, 30])

    def stopped(*_: str) -> dict[str, Any]:
        assert not (folder / "kept").exists()
        raise KeyboardInterrupt

    monkeypatch.setattr(recipe, "evaluate", stopped)
    for killed in (False, True):
        if killed:  # Then half a folder lies beside that of before.
            folder.rename(half)
            folder.mkdir()
        with pytest.raises(KeyboardInterrupt):
            recipe.ship("cartpole", three[0], three)
        assert [path.name for path in folder.iterdir()] == ["kept"]
        assert not half.exists()

    enough = {**score(20.0), "against": {"difference": {"score": {"high": 0.2}}}}
    monkeypatch.setattr(recipe, "evaluate", lambda *_: json.loads(json.dumps(enough)))
    recipe.ship("cartpole", three[0], three)
    assert not (folder / "kept").exists()
    assert not half.exists()


def test_a_training_that_ended_early_is_not_finished(
    recipe: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = train("cartpole-1", 1)
    assert recipe.finished(RunFolder(tmp_path / "none")) is None
    saved = recipe.finished(folder)
    assert saved.description["step"] == 8192
    longer = saved.description["config"].replace("total_steps = 8_192", "total_steps = 9_000")
    monkeypatch.setattr(
        recipe,
        "newest_checkpoint",
        lambda *_: (replace(saved, description=saved.description | {"config": longer}), []),
    )
    assert recipe.finished(folder) is None


def test_the_median_is_shipped_and_what_is_done_is_not_done_again(
    recipe: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped: list[int] = []
    three = {found.seed: found for found in candidates(recipe, [15, 25, 20])}

    def ship(game: str, chosen: Any, of: list[Any]) -> dict[str, Any]:
        shipped.append(chosen.seed)
        return chosen.evaluation

    monkeypatch.setattr(recipe, "candidate", lambda _game, seed, _folder: three[seed])
    monkeypatch.setattr(recipe, "ship", ship)
    monkeypatch.setattr("sys.argv", ["baselines.py", "cartpole", "--folder", str(tmp_path)])
    recipe.main()
    assert shipped == [3]


def test_a_kept_evaluation_is_not_made_again_unless_it_is_too_short(
    recipe: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train("cartpole-1", 1)
    asked: list[str] = []

    def pufftui(*arguments: str) -> str:
        asked.append(arguments[0])
        return json.dumps({**score(20), "episodes": 1000})

    monkeypatch.setattr(recipe, "pufftui", pufftui)
    run: Callable[[], Any] = lambda: recipe.candidate("cartpole", 1, tmp_path)  # noqa: E731
    assert run().evaluation["score"]["mean"] == 20
    assert run().seconds > 0
    assert asked == ["eval"]
    monkeypatch.setitem(recipe.EPISODES, "cartpole", 5000)
    run()
    assert asked == ["eval", "eval"]
