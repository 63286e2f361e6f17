"""Plays a world with a script or at random."""

from __future__ import annotations

import numpy as np
from scripts import Array, Script, Seen

from pufftui.envs.descriptor import ActionKind, Descriptor, DType
from pufftui.envs.library import EnvLibrary
from pufftui.envs.vector import VectorEnv

NUMPY = {DType.UINT8: np.uint8, DType.FLOAT32: np.float32}


def fields_of(descriptor: Descriptor, rows: Array) -> dict[str, Array]:
    """The fields of (agents, observation_bytes) uint8 rows, as (agents, count) float64 by name."""
    found = {}
    for part in descriptor.fields:
        size = part.size
        cut = np.ascontiguousarray(rows[:, part.offset : part.offset + size])
        found[part.name] = cut.view(NUMPY[part.dtype]).astype(np.float64)
    return found


class Randomly:
    """Takes every action alike."""

    def __init__(self, descriptor: Descriptor, seed: int = 0) -> None:
        self.random = np.random.default_rng(seed)
        self.continuous = descriptor.action_kind is ActionKind.CONTINUOUS
        self.choices = [len(action.choices) for action in descriptor.actions]

    def __call__(self, seen: Seen) -> Array:
        """Actions of all agents."""
        shape = (len(next(iter(seen.values()))), len(self.choices))
        if self.continuous:
            return self.random.uniform(-1, 1, shape)
        return self.random.integers(0, self.choices, shape)


def play(
    library: EnvLibrary,
    policy: Script,
    *,
    environments: int,
    seed: int = 1,
) -> Array:
    """Scores of every agent's first episode, (agents,) float32.

    Later ones are left out: the short ones would be more of them.
    """
    scores = np.full(environments * library.descriptor.agents, np.nan, np.float32)
    with VectorEnv(library, {}, environments=environments, seed=seed) as vector:
        buffers = vector.buffers()
        vector.reset(0, buffers)
        while np.isnan(scores).any():
            seen = fields_of(library.descriptor, buffers.observations)
            buffers.actions[:] = policy(seen)
            vector.step(0, buffers)
            if (buffers.terminals | buffers.truncations).any():
                ended = vector.drain().episodes
                ended = ended[np.isnan(scores[ended["agent"]])]
                scores[ended["agent"]] = ended["score"]
    return scores
