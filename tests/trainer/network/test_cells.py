"""Weights that the cells of a map share: which cells there are, and that whoever plays the policy knows nothing of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pufftui.envs.catalogue import load_env
from pufftui.envs.cells import cells_of, other_places
from pufftui.envs.errors import PuffError
from pufftui.trainer.arena.forward import forward
from pufftui.trainer.network.cells import CellEncoder
from pufftui.trainer.run.checkpoint import Saved
from pufftui.trainer.run.policies import weights_from
from pufftui.trainer.settings.fields import PolicyConfig, RunConfig, TrainConfig, VecConfig
from pufftui.trainer.settings.sources import config_to_toml, load_config
from pufftui.trainer.training.epoch import run_epoch
from pufftui.trainer.training.playing import policy_of
from pufftui.trainer.training.session import TrainingSession


def nmmo():
    return load_env("nmmo").descriptor


def test_fields_of_as_many_categories_are_of_the_same_cells():
    tiles, slots = cells_of(nmmo(), 4)
    assert (tiles.count, len(tiles.facts), tiles.classes) == (165, 8, 77)
    assert (slots.count, len(slots.facts), slots.classes) == (12, 5, 38)
    others = other_places(nmmo(), [tiles, slots])
    assert sorted([*others, *tiles.features, *slots.features]) == list(range(13284))
    assert cells_of(nmmo(), 0) == []


def test_an_embedding_of_nothing_is_refused():
    flags = {"policy.embedding": "4"}
    with pytest.raises(PuffError, match="breakout shows no cells of a map"):
        load_config("breakout", device="cpu", files=[], flags=flags)
    with pytest.raises(PuffError, match="cannot both look at cells"):
        load_config("snake", device="cpu", files=[], flags=flags | {"policy.convolution": "4"})


def test_what_is_learned_of_one_cell_holds_for_all():
    """A gradient that comes from one cell changes what the class becomes, wherever it is."""
    encoder = CellEncoder(nmmo(), 24, 5, torch.Generator().manual_seed(1))
    tiles = encoder.cells[0]
    (first, classes), *_ = tiles.facts
    whole = encoder.whole()
    assert whole.shape == (24, encoder.in_features)
    here, there = first + 3 * classes + 2, first + 160 * classes + 2
    before = whole[:, there].detach().clone()
    (change,) = torch.autograd.grad(whole[:, here].sum(), [encoder.kinds[0]])
    with torch.no_grad():
        encoder.kinds[0] += change
    moved = encoder.whole()
    assert (moved[:, there] - before).abs().min() > 0
    assert torch.equal(moved[:, there + 1], whole[:, there + 1])


def test_rows_are_the_weights_and_so_are_their_gradients():
    encoder = CellEncoder(nmmo(), 24, 5, torch.Generator().manual_seed(1))
    rows = torch.full((encoder.in_features, 32), torch.nan)
    encoder.fill(rows)
    whole = encoder.whole()
    torch.testing.assert_close(rows[:, :24].t(), whole, rtol=1e-5, atol=1e-6)
    assert not rows[:, 24:].any()
    gradient = torch.randn(rows.shape, generator=torch.Generator().manual_seed(2))
    names = [name for name, _ in encoder.named_parameters()]
    found = dict(zip(names, encoder.gradients(gradient, torch.ones(24)), strict=True))
    assert found.pop("bias").sum() == 24
    (whole * gradient[:, :24].t()).sum().backward()
    for name, value in found.items():
        torch.testing.assert_close(value, encoder.get_parameter(name).grad, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("env", ["nmmo", "snake"])
def test_a_checkpoint_plays_as_the_run_did(env):
    """Also of a game that shows nothing beside its cells."""
    config = load_config(env, device="cpu", files=[], flags={})
    config = replace(
        config,
        train=TrainConfig(horizon=8, minibatch_size=512),
        policy=PolicyConfig("mingru", 24, embedding=5),
        vec=VecConfig(agents=128, threads=1),
        run=RunConfig(device="cpu"),
    )
    session = TrainingSession(config, load_env(env))
    for _ in range(2):
        run_epoch(session, lambda: False)
    description = {"config": config_to_toml(config), "step": session.step}
    read = weights_from(Saved(Path("step.npz"), session.state(), description))
    seen = session.collector.memory.observations[0]
    state = torch.rand(session.policy.initial_state(len(seen)).shape)
    with torch.no_grad():
        wanted = session.policy.step(seen, state)
        other = policy_of(read, session.vector, "fp32", torch.device("cpu")).step(seen, state)
    numpy = forward(read, session.policy.descriptor, seen.numpy(), state.numpy())
    for name, array in session.weights().arrays.items():
        np.testing.assert_array_equal(array, read.arrays[name])
    near = {"rtol": 0.02, "atol": 0.02}  # The run's products are of bfloat16 where that is fast.
    for one, two, three in zip(wanted, other, numpy, strict=True):
        np.testing.assert_allclose(two.numpy(), one.numpy(), **near)
        np.testing.assert_allclose(three, two.numpy(), rtol=1e-4, atol=1e-4)
