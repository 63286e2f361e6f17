"""The yardstick of the bench: operations counted from a real policy against known figures."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pufftui.envs.catalogue import load_env
from pufftui.trainer.messages.weights import PolicyWeights
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.settings.fields import Config, PolicyConfig, RunConfig
from pufftui.trainer.training.benchmark import matmul_rate, step_flops


def weights_of(config: PolicyConfig) -> PolicyWeights:
    policy = Policy(load_env("breakout").descriptor, config, torch.float32, torch.Generator())
    arrays = {name: np.asarray(value) for name, value in policy.state_dict().items()}
    return PolicyWeights(0, config.memory, config.hidden, config.layers, arrays)


@pytest.mark.parametrize(
    ("memory", "layers", "megaflops"),
    [("none", 1, 0.095), ("mingru", 1, 0.49), ("lstm", 1, 1.14), ("mingru", 4, 1.67)],
)
def test_operations_of_a_step(memory: str, layers: int, megaflops: float) -> None:
    weights = weights_of(PolicyConfig(memory=memory, layers=layers))
    assert step_flops(weights, 1.0) / 1e6 == pytest.approx(megaflops, rel=0.02)


def test_without_training_only_the_rollout_counts() -> None:
    weights = weights_of(PolicyConfig(memory="none"))
    matrices = [array.size for array in weights.arrays.values() if array.ndim == 2]
    assert step_flops(weights, 0.0) == 2 * sum(matrices)


def test_a_layer_that_looks_up_multiplies_nothing() -> None:
    weights = weights_of(PolicyConfig(memory="none"))
    others = [a.size for n, a in weights.arrays.items() if a.ndim == 2 and n != "encoder.weight"]
    assert step_flops(weights, 0.0, looks_up=True) == 2 * sum(others)


def test_the_rate_is_one_that_a_computer_can_have() -> None:
    config = Config("breakout", {}, run=RunConfig(device="cpu"))
    assert 1e9 < matmul_rate(config, 0.2) < 1e15
