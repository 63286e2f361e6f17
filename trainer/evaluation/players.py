"""Who plays the worlds of an evaluation. Policies are played by `training/playing.py`, with what collects rollouts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.random_play import act_at_random
from pufftui.envs.vector import VectorEnv
from pufftui.trainer.messages.weights import PolicyWeights

SHARPER = np.float32(1e6)
"""Logits times this leave the likeliest action alone, unless two are alike but for rounding."""


class Player(Protocol):
    """Plays all worlds of a vector from their first step on."""

    vector: VectorEnv
    room: float
    """The share of the worlds that still counts from which on it pays to leave the others behind."""

    def play(self, steps: int, interrupted: Callable[[], bool]) -> bool:
        """Plays so many steps, or `False` if `interrupted` said so on the way; never more than it was made for."""

    def only(self, places: NDArray[np.intp]) -> Self:
        """Goes on with the worlds at some places alone."""

    def close(self) -> None:
        """Frees the worlds."""


MakePlayer = Callable[[VectorEnv, int], Player]
"""Makes a player of a vector, with a seed for its own chance."""


def greedy(weights: PolicyWeights) -> PolicyWeights:
    """The policy that always takes its likeliest action, for every forward pass alike."""
    arrays: dict[str, NDArray[np.float32]] = dict(weights.arrays)
    if "log_std" in arrays:
        arrays["log_std"] = np.full_like(arrays["log_std"], -np.inf)
    else:
        for name in ("heads.weight", "heads.bias"):
            sharper = arrays[name].copy()
            sharper[:-1] *= SHARPER
            arrays[name] = sharper
    return replace(weights, arrays=arrays)


class RandomPlayer:
    """Random moves."""

    room = 0.85

    def __init__(self, vector: VectorEnv, seed: int) -> None:
        self.vector = vector
        self._random = np.random.default_rng(seed)
        self._buffers = vector.buffers()
        vector.reset(0, self._buffers)

    def play(self, steps: int, interrupted: Callable[[], bool]) -> bool:
        """Plays so many steps."""
        for _ in range(steps):
            if interrupted():
                return False
            self.act(self._buffers.observations, self._buffers.actions)
            self.vector.step(0, self._buffers)
        return True

    def act(self, observations: NDArray[np.uint8], actions: NDArray[np.int32]) -> None:
        """Fills actions (agents, components) for observations (agents, bytes)."""
        del observations
        act_at_random(self.vector.descriptor, self._random, actions)

    def only(self, places: NDArray[np.intp]) -> Self:
        """Goes on with the worlds at some places alone."""
        kept = self.vector.rows(places)
        observations = self._buffers.observations[kept]
        vector = self.vector.only(places)
        self.vector.close()
        self.vector, self._buffers = vector, vector.buffers()
        self._buffers.observations[:] = observations
        return self

    def close(self) -> None:
        """Frees the worlds."""
        self.vector.close()
