"""Training on any number of threads is the same training, byte for byte."""

import numpy as np
import pytest

from pufftui.envs.catalogue import load_env
from pufftui.envs.library import load_library
from pufftui.trainer.settings.fields import Config, PolicyConfig, RunConfig, TrainConfig, VecConfig
from pufftui.trainer.training.epoch import run_epoch
from pufftui.trainer.training.session import TrainingSession

FORMATS = ("fp32", "bf16")


def weights(library, policy, threads, precision="fp32", agents=64):
    """After two epochs of several minibatches, each of several parts."""
    session = TrainingSession(
        Config(
            library.descriptor.name,
            {each.name: each.default for each in library.descriptor.parameters},
            TrainConfig(
                horizon=32,
                minibatch_size=1024,
                max_forward_size=256,
                total_steps=100_000,
                replay_ratio=1.0,
                precision=precision,
            ),
            policy,
            VecConfig(agents=agents, threads=threads),
            RunConfig(device="cpu", seed=5),
        ),
        library,
    )
    for _ in range(2):
        assert run_epoch(session, lambda: False) is not None
    return session.weights().arrays


def assert_alike(library, policy, **options):
    one = weights(library, policy, 1, **options)
    for threads in (2, 3, 16):
        other = weights(library, policy, threads, **options)
        for name, array in one.items():
            assert np.array_equal(array, other[name]), (threads, name)


@pytest.mark.parametrize("precision", FORMATS)
@pytest.mark.parametrize("memory", ["none", "mingru", "lstm"])
def test_games(memory, precision):
    assert_alike(load_env("squared"), PolicyConfig(memory=memory, hidden=64), precision=precision)


def test_games_of_many_agents():
    policy = PolicyConfig(memory="mingru", hidden=32, normalise="on")
    assert_alike(load_env("school"), policy, agents=96)


@pytest.mark.parametrize("precision", FORMATS)
def test_continuous_actions_and_floats_of_any_size(compiler, precision):
    library = load_library(compiler.library("tests/c/limbs.c", "-DCONTINUOUS"))
    policy = PolicyConfig(memory="mingru", hidden=32, normalise="on")
    assert_alike(library, policy, precision=precision)


@pytest.mark.parametrize("agents", [64, 600])
def test_convolutions(agents):
    policy = PolicyConfig(memory="none", hidden=32, convolution=8)
    assert_alike(load_env("snake"), policy, agents=agents)


@pytest.mark.parametrize("precision", FORMATS)
def test_decisions_by_operations_of_torch(precision):
    policy = PolicyConfig(memory="lstm", hidden=128)
    assert_alike(load_env("breakout"), policy, agents=600, precision=precision)


@pytest.mark.parametrize("precision", FORMATS)
def test_maps_of_many_facts(precision):
    policy = PolicyConfig(memory="mingru", hidden=32, embedding=4)
    assert_alike(load_env("nmmo"), policy, agents=128, precision=precision)
