"""Policies from checkpoints whose environment shows another map than when they were written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pufftui.envs.catalogue import load_env
from pufftui.envs.cells import cells_among
from pufftui.envs.errors import PuffError
from pufftui.trainer.run.beginning import find_beginning
from pufftui.trainer.run.checkpoint import read_saved, write_checkpoint
from pufftui.trainer.run.policies import weights_from
from pufftui.trainer.settings.fields import Config, PolicyConfig
from pufftui.trainer.settings.sources import config_to_toml

HIDDEN, EMBEDDING, ACTIONS = 8, 4, 5
POLICY = PolicyConfig(memory="none", hidden=HIDDEN, embedding=EMBEDDING)

Arrays = dict[str, np.ndarray]


def learned() -> Arrays:
    """A policy of squared, never trained."""
    (cells,) = cells_among(load_env("squared").descriptor.fields)
    shapes = {
        "encoder.kinds.0": (cells.classes, EMBEDDING),
        "encoder.places.0": (HIDDEN, cells.count * EMBEDDING),
        "encoder.bias": (HIDDEN,),
        "heads.weight": (ACTIONS + 1, HIDDEN),
        "heads.bias": (ACTIONS + 1,),
    }
    return {f"policy/{name}": np.ones(shape, np.float32) for name, shape in shapes.items()}


def written(arrays: Arrays, folder: Path, policy: PolicyConfig = POLICY) -> Path:
    config = config_to_toml(Config("squared", {}, policy=policy))
    file = folder / "mine.npz"
    write_checkpoint(file, arrays, {"step": 3, "epoch": 1, "seconds": 1.0, "config": config})
    return file


def with_shape(name: str, *shape: int) -> Arrays:
    return learned() | {f"policy/{name}": np.ones(shape, np.float32)}


OTHERS = {
    "fewer classes now": with_shape("encoder.kinds.0", 4, EMBEDDING),
    "more classes now": with_shape("encoder.kinds.0", 2, EMBEDDING),
    "a smaller map now": with_shape("encoder.places.0", HIDDEN, 200 * EMBEDDING),
    "a larger map now": with_shape("encoder.places.0", HIDDEN, 100 * EMBEDDING),
    "numbers beside it then": with_shape("encoder.weight", HIDDEN, 3),
    "two maps then": with_shape("encoder.kinds.1", 3, EMBEDDING)
    | with_shape("encoder.places.1", HIDDEN, 9 * EMBEDDING),
    "no map then": {name: array for name, array in learned().items() if ".kinds" not in name},
}


def test_one_of_the_same_map_is_taken(tmp_path: Path) -> None:
    weights = weights_from(read_saved(written(learned(), tmp_path)))
    assert weights.arrays["encoder.weight"].shape == (HIDDEN, 363)
    assert (weights.arrays["encoder.weight"] == EMBEDDING).all()


@pytest.mark.parametrize("arrays", OTHERS.values(), ids=OTHERS.keys())
def test_one_of_another_map_is_refused(arrays: Arrays, tmp_path: Path) -> None:
    file = written(arrays, tmp_path)
    with pytest.raises(PuffError, match=r"squared has other observations or actions than when"):
        weights_from(read_saved(file))
    config = Config(
        "squared",
        {},
        policy=PolicyConfig(memory="none", hidden=HIDDEN, start_from=str(file)),
        open=frozenset({"policy.embedding"}),
    )
    with pytest.raises(PuffError, match=r"does not fit squared: it knows the cells of another map"):
        find_beginning(config, load_env("squared").descriptor)


def with_convolution(classes: int, inputs: int) -> Arrays:
    shapes = {
        "convolutions.0.weight": (CHANNELS, classes, 3, 3),
        "convolutions.0.bias": (CHANNELS,),
        "encoder.weight": (HIDDEN, inputs),
        "encoder.bias": (HIDDEN,),
        "heads.weight": (ACTIONS + 1, HIDDEN),
        "heads.bias": (ACTIONS + 1,),
    }
    return {f"policy/{name}": np.ones(shape, np.float32) for name, shape in shapes.items()}


CHANNELS = 2
GRID = 11 * 11 * CHANNELS


@pytest.mark.parametrize(("classes", "inputs"), [(4, GRID), (2, GRID), (3, GRID + 1), (3, 9)])
@pytest.mark.parametrize("game", ["squared", "cartpole"])
def test_a_convolution_of_another_map_is_refused(
    classes: int, inputs: int, game: str, tmp_path: Path
) -> None:
    policy = PolicyConfig(memory="none", hidden=HIDDEN, convolution=CHANNELS)
    right = written(with_convolution(3, GRID), tmp_path, policy)
    assert weights_from(read_saved(right)).convolution == CHANNELS
    file = written(with_convolution(classes, inputs), tmp_path, policy)
    with pytest.raises(PuffError, match=f"{game} has other observations or actions than when"):
        weights_from(read_saved(file), game)
    begun = replace(policy, start_from=str(file), convolution=CHANNELS)
    with pytest.raises(PuffError, match=f"does not fit {game}: it knows the cells of another map"):
        find_beginning(Config(game, {}, policy=begun), load_env(game).descriptor)


def test_a_game_without_a_map_refuses_it_too(tmp_path: Path) -> None:
    file = written(learned(), tmp_path)
    with pytest.raises(PuffError, match=r"cartpole has other observations or actions than when"):
        weights_from(read_saved(file), "cartpole")
    config = Config(
        "cartpole",
        {},
        policy=PolicyConfig(memory="none", hidden=HIDDEN, start_from=str(file)),
        open=frozenset({"policy.embedding"}),
    )
    with pytest.raises(
        PuffError, match=r"does not fit cartpole: it knows the cells of another map"
    ):
        find_beginning(config, load_env("cartpole").descriptor)
