"""Observations of random play, for what has to be known of an environment before the first rollout."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from pufftui.envs.descriptor import ActionKind
from pufftui.envs.library import EnvLibrary
from pufftui.envs.vector import VectorEnv

ENVIRONMENTS, STEPS, EVERY = 64, 512, 8
"""How much is played, and from how many steps one is kept."""


def first_look(
    library: EnvLibrary, parameters: Mapping[str, float], *, threads: int, seed: int
) -> tuple[Tensor, Tensor]:
    """Observations (steps, environments, bytes) uint8 of environments of their own, and who was alive, uint8.

    Of several agents in an environment one is looked at in turn.
    """
    about = library.descriptor
    random = np.random.default_rng(seed)
    seen: list[Tensor] = []
    alive: list[Tensor] = []
    with VectorEnv(
        library, parameters, environments=ENVIRONMENTS, threads=threads, seed=seed
    ) as vector:
        buffers = vector.buffers()
        vector.reset(0, buffers)
        shape = buffers.actions.shape
        sizes = [len(action.choices) for action in about.actions]
        for step in range(STEPS):
            rows = slice(step // EVERY % about.agents, None, about.agents)
            if step % EVERY == 0:
                seen.append(torch.from_numpy(buffers.observations[rows].copy()))
            if about.action_kind is ActionKind.CONTINUOUS:
                buffers.actions[:] = random.uniform(-1, 1, shape)
            else:
                buffers.actions[:] = random.integers(0, sizes, shape, dtype=np.int32)
            vector.step(0, buffers)
            if step % EVERY == 0:
                alive.append(torch.from_numpy(buffers.alive[rows].copy()))
    return torch.stack(seen), torch.stack(alive)
