"""Who plays the worlds of an evaluation: nobody in particular, or a policy in numpy.

Policies are played by `training/playing.py`, by what collects rollouts; the one here is the small twin that the arena plays with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.random_play import act_at_random
from pufftui.envs.vector import VectorEnv
from pufftui.trainer.arena.forward import Array, distribution, forward, initial_state, sample
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
            flags = self._buffers
            over = (flags.terminals | flags.truncations | (flags.alive == 0)).astype(bool)
            if over.any():
                self.forget(over)
        return True

    def act(self, observations: NDArray[np.uint8], actions: NDArray[np.int32]) -> None:
        """Fills actions (agents, components) for observations (agents, bytes)."""
        del observations
        act_at_random(self.vector.descriptor, self._random, actions)

    def forget(self, over: NDArray[np.bool_]) -> None:
        """The episodes of these agents are over, or they took no part, (agents,)."""

    def only(self, places: NDArray[np.intp]) -> Self:
        """Goes on with the worlds at some places alone."""
        kept = self.vector.rows(places)
        observations = self._buffers.observations[kept]
        vector = self.vector.only(places)
        self.vector.close()
        self.vector, self._buffers = vector, vector.buffers()
        self._buffers.observations[:] = observations
        self.keep(kept)
        return self

    def keep(self, rows: NDArray[np.intp]) -> None:
        """Only these agents are left."""

    def close(self) -> None:
        """Frees the worlds."""
        self.vector.close()


class NumpyPlayer(RandomPlayer):
    """A policy by the forward pass in numpy."""

    def __init__(self, vector: VectorEnv, seed: int, weights: PolicyWeights) -> None:
        super().__init__(vector, seed)
        self._weights = weights
        self._state: Array = initial_state(weights, vector.agents)

    def act(self, observations: NDArray[np.uint8], actions: NDArray[np.int32]) -> None:
        """Fills actions (agents, components) for observations (agents, bytes)."""
        descriptor = self.vector.descriptor
        outputs, _, self._state = forward(self._weights, descriptor, observations, self._state)
        actions[:] = sample(
            descriptor, distribution(self._weights, descriptor, outputs), self._random
        )

    def forget(self, over: NDArray[np.bool_]) -> None:
        """The episodes of these agents are over, or they took no part, (agents,)."""
        self._state[:, :, over] = 0

    def keep(self, rows: NDArray[np.intp]) -> None:
        """Only these agents are left."""
        self._state = self._state[:, :, rows]
