"""The policies that come with games: how they are named, when they are refused, what their folders hold."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pufftui.envs.catalogue import EnvFolder, env_names, find_env, load_env
from pufftui.envs.errors import PuffError
from pufftui.trainer.messages.weights import PolicyWeights
from pufftui.trainer.run.baseline import (
    BaselineCurve,
    game_of,
    has_baseline,
    read_baseline,
    read_curve,
    read_json,
)
from pufftui.trainer.run.checkpoint import read_checkpoint, write_checkpoint
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.run.naming import find_policy
from pufftui.trainer.settings.fields import Config, PolicyConfig
from pufftui.trainer.settings.sources import config_to_toml, restore_config

GAMES = [name for name in env_names() if has_baseline(name)]
MOST_BYTES = {"nmmo": 1_000_000}  # of the others 200,000


@pytest.fixture(autouse=True)
def own_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path / "runs"))


@pytest.fixture
def shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_policy: Callable[..., PolicyWeights]
) -> Iterator[Callable[..., Path]]:
    """Gives squared a baseline of its own that was never trained, in the folder that is returned."""
    folder = tmp_path / "baseline"
    monkeypatch.setattr(EnvFolder, "baseline", folder)

    def ship(**described: Any) -> Path:
        arrays = {
            f"policy/{name}": array.astype(np.float16)
            for name, array in made_policy("squared").arrays.items()
        }
        description = {
            "step": 7,
            "epoch": 1,
            "seconds": 1.0,
            "config": config_to_toml(Config("squared", {}, policy=PolicyConfig(hidden=8))),
            "game": game_of(load_env("squared").descriptor),
        }
        write_checkpoint(folder / "policy.npz", arrays, description | described)
        return folder

    return ship


def test_a_baseline_is_named_by_its_environment_or_by_the_one_at_hand(
    shipped: Callable[..., Path],
) -> None:
    file = shipped() / "policy.npz"
    for found in (find_policy("baseline:squared"), find_policy("baseline", env="squared")):
        assert (found.step, found.name, found.env()) == (7, "baseline:squared", "squared")
        assert found.folder is None
        assert found.saved.path == file
        assert find_policy(found.name).saved.path == file
        assert found.learned("squared")
        assert not found.learned("pong")
        assert {array.dtype for array in found.weights().arrays.values()} == {np.dtype(np.float32)}
    # It is a checkpoint like any other.
    assert find_policy(str(file)).weights().hidden == 8


def test_no_run_may_take_its_name() -> None:
    with pytest.raises(PuffError, match="'baseline' stands for what comes with a game"):
        RunFolder.create("baseline", "squared")
    with pytest.raises(PuffError, match="'baseline:pong' is not a name for a run"):
        RunFolder.create("baseline:pong", "squared")


def test_where_there_is_none_those_that_are_there_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "frog"
    folder.mkdir()
    (folder / "frog.c").touch()
    with pytest.raises(PuffError, match=r"No baseline comes with frog\. There is one of breakout"):
        find_policy(f"baseline:{folder}")


def altered(part: str, change: Callable[[list[Any]], None]) -> dict[str, Any]:
    """What squared observes and does, as JSON has it, with a change in one part."""
    game: dict[str, Any] = json.loads(json.dumps(game_of(load_env("squared").descriptor)))
    change(game[part][0])
    return game


@pytest.mark.parametrize(
    ("described", "says"),
    [
        (
            lambda: {"game": altered("observations", lambda field: field.__setitem__(5, -9.0))},
            "The baseline of squared was trained with other observations. Train a policy of your own",
        ),
        (
            lambda: {"game": altered("actions", lambda action: action[2].reverse())},
            "The baseline of squared was trained with other actions",
        ),
        (lambda: {"game": None}, "trained with other observations and actions"),
        (lambda: {"interface": 99}, "The baseline of squared is of interface 99, this pufftui"),
    ],
)
def test_one_that_does_not_fit_its_game_any_more_is_refused(
    shipped: Callable[..., Path], described: Callable[[], dict[str, Any]], says: str
) -> None:
    """Though its arrays have the shapes that are wanted."""
    shipped(**described())
    with pytest.raises(PuffError, match=says):
        find_policy("baseline:squared")


def test_a_curve_that_cannot_be_read_is_none(shipped: Callable[..., Path]) -> None:
    folder = shipped()
    assert read_curve("squared") is None
    for text in ("", "[]", '{"step": [1]}', '{"step": [2, 1], "seconds": [1, 2], "score": [3, 4]}'):
        (folder / "curve.json").write_text(text)
        assert read_curve("squared") is None
    (folder / "curve.json").write_text('{"step": [1, 2], "seconds": [1, 2], "score": [3, 4]}')
    assert read_curve("squared") == BaselineCurve((1, 2), (1, 2), (3, 4))


@pytest.mark.parametrize(
    ("scores", "milestone"),
    [
        ([0.0, 400.0, 815.0, 860.0], (810.0, 30.0)),
        ([-21.0, 0.0, 18.5, 20.9], (18.0, 30.0)),
        ([0.1, 0.93, 0.95, 0.99], (0.94, 30.0)),
        ([200.0], (200.0, 10.0)),
        ([-3.0, -1.51, -1.5, -1.5], (-1.6, 20.0)),
    ],
)
def test_a_milestone_is_a_round_score_near_the_best(
    scores: list[float], milestone: tuple[float, float]
) -> None:
    seconds = [10.0 * (at + 1) for at in range(len(scores))]
    goal, after = BaselineCurve(seconds, seconds, scores).milestone()
    assert goal == pytest.approx(milestone[0])
    assert after == milestone[1]


@pytest.mark.parametrize("game", GAMES)
def test_what_is_shipped_is_whole_and_fits(game: str) -> None:
    folder, descriptor = find_env(game).baseline, load_env(game).descriptor
    names = {"policy.npz", "config.toml", "curve.json", "evaluation.json", "made.json"}
    assert {path.name for path in folder.iterdir()} == names
    assert sum(path.stat().st_size for path in folder.iterdir()) <= MOST_BYTES.get(game, 200_000)
    policy = find_policy(f"baseline:{game}")
    assert read_baseline(game).description["game"] == game_of(descriptor)
    assert policy.weights().step == policy.step

    config_file = folder / "config.toml"
    text = config_file.read_text(encoding="utf-8")
    config = restore_config(text, file=config_file, flags={})
    assert config == policy.config()
    curve = read_curve(game)
    assert curve is not None
    assert 30 < len(curve.steps) <= 200
    assert curve.steps[-1] >= 0.95 * config.train.total_steps

    evaluation, made = (read_json(folder / f"{name}.json") for name in ("evaluation", "made"))
    assert evaluation["policy"] == f"baseline:{game}"
    assert evaluation["cut"] == 0
    assert evaluation["episodes"] >= (200 if game == "enduro" else 1000)
    assert made["command"] == f"pufftui train {game} --seed {config.run.seed}"
    means = {seed: found["score"]["mean"] for seed, found in made["seeds"].items()}
    assert len(means) == 3
    assert means[str(config.run.seed)] == sorted(means.values())[1]


@pytest.mark.parametrize("game", GAMES)
def test_no_file_of_a_baseline_names_a_place_on_a_machine(game: str) -> None:
    folder = find_env(game).baseline
    _, description = read_checkpoint(folder / "policy.npz")
    texts = [path.read_text(encoding="utf-8") for path in folder.iterdir() if path.suffix != ".npz"]
    for text in (*texts, json.dumps(description)):
        assert not {"/home", "/work", "/tmp", "/root"} & set(text.split('"'))
        assert str(Path(__file__).parents[3]) not in text


def test_a_damaged_one_is_refused(shipped: Callable[..., Path]) -> None:
    file = shipped() / "policy.npz"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(PuffError, match=r"policy\.npz is not a whole checkpoint"):
        find_policy("baseline:squared")
    shutil.rmtree(file.parent)
    with pytest.raises(PuffError, match="No baseline comes with squared"):
        find_policy("baseline:squared")
