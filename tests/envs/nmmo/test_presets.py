"""The two sizes of nmmo's world: what they take, and that a policy of one plays the other."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from pufftui.envs.catalogue import load_env
from pufftui.envs.vector import VectorEnv
from pufftui.trainer.arena.game import Game
from pufftui.trainer.messages.weights import PolicyWeights

SMALL, FULL = 0, 1


def parameters(preset: int) -> dict[str, float]:
    return load_env("nmmo").descriptor.parameter_values({"preset": preset})


@pytest.mark.parametrize(("preset", "agents", "most"), [(SMALL, 128, 0.5e6), (FULL, 1024, 6e6)])
def test_sizes(preset: int, agents: int, most: float):
    library = load_env("nmmo")
    assert library.descriptor_with(parameters(preset)).agents == agents
    assert library.state_bytes(parameters(preset)) <= most


def test_a_full_world_is_made_at_once():
    """Or the screen would freeze: 150 ms of the processor."""
    with VectorEnv(load_env("nmmo"), parameters(FULL), environments=1) as env:
        buffers = env.buffers()
        env.reset(0, buffers)
        first, began = buffers.observations.copy(), time.process_time()
        env.reset(0, buffers)
        assert time.process_time() - began < 0.15
        assert (first != buffers.observations).any()


def test_a_policy_plays_both(made_policy: Callable[..., PolicyWeights]):
    weights = made_policy("nmmo")
    weights.arrays["encoder.weight"] *= 0.03  # some 1400 features are set at a time
    for preset, agents in ((SMALL, 128), (FULL, 1024)):
        game = Game(load_env("nmmo"), parameters(preset), seed=1)
        game.weights = weights
        for _ in range(3):
            actions = game.decide()
            assert actions.shape == (agents, 1)
            game.step(actions)
        assert len(np.unique(actions)) > 5
