"""What a little random play shows of an environment, before anything is learned."""

from __future__ import annotations

import functools
import math
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.descriptor import Field
from pufftui.envs.library import EnvLibrary
from pufftui.envs.random_play import act_at_random
from pufftui.envs.vector import VectorEnv
from pufftui.trainer.settings.job import job_from_environment

AGENTS, STEPS = 32, 512
"""So few that an environment with slow steps does not hold up a start by much."""

SEEN_EVERY = 8
"""Steps from one look at the observations to the next: those in between are much alike."""

MOST_SECONDS, LEAST_STEPS = 3.0, 8
"""An environment whose steps are so slow is tried out for less long, and for so few steps at least."""

SEED = 20_011
"""Always the same, so that a run can be repeated."""


@dataclass(frozen=True, slots=True, eq=False)
class Tryout:
    """Steps of random play, time-major: rewards (steps, agents) float32, flags uint8 alike.

    `observations` (looks, agents, bytes) uint8 are what was seen now and then.
    """

    rewards: NDArray[np.float32]
    terminals: NDArray[np.uint8]
    truncations: NDArray[np.uint8]
    alive: NDArray[np.uint8]
    observations: NDArray[np.uint8]
    fields: tuple[Field, ...]
    """Those of an observation."""

    @property
    def seen_alive(self) -> NDArray[np.uint8]:
        """Who was alive when `observations` were seen, (looks, agents)."""
        return self.alive[::SEEN_EVERY]

    @property
    def episode_steps(self) -> float:
        """How long an episode lasts on average; at least that, if few ended."""
        ends = int((self.terminals | self.truncations).sum())
        return int(self.alive.sum()) / max(1, ends)


def try_out(library: EnvLibrary, parameters: dict[str, float]) -> Tryout:
    """Plays a little at random; the same every time, but for slow environments. Whoever asks again gets what was played.

    Of slow ones it sees less, how much depends on the machine. With several processes all have to see the same, so there it takes
    what it takes. Raises `PuffError` as `job_from_environment`.
    """
    most = MOST_SECONDS if job_from_environment().size == 1 else math.inf
    return _played(library, tuple(parameters.items()), most)


@functools.lru_cache(maxsize=1)
def _played(
    library: EnvLibrary, parameters: tuple[tuple[str, float], ...], most_seconds: float
) -> Tryout:
    descriptor = library.descriptor_with(dict(parameters))
    random = np.random.default_rng(SEED)
    environments = -(-AGENTS // descriptor.agents)
    with VectorEnv(
        library, dict(parameters), environments=environments, groups=1, threads=1, seed=SEED
    ) as vector:
        buffers = vector.buffers()
        vector.reset(0, buffers)
        steps, seen = [], []
        began = time.monotonic()
        for step in range(STEPS):
            if step >= LEAST_STEPS and time.monotonic() - began > most_seconds:
                break
            act_at_random(descriptor, random, buffers.actions)
            vector.step(0, buffers)
            flags = buffers.terminals, buffers.truncations, buffers.alive
            steps.append([array.copy() for array in (buffers.rewards, *flags)])
            if step % SEEN_EVERY == 0:
                seen.append(buffers.observations.copy())
    rewards, terminals, truncations, alive = map(np.stack, zip(*steps, strict=True))
    return Tryout(rewards, terminals, truncations, alive, np.stack(seen), tuple(descriptor.fields))
