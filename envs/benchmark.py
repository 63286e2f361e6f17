"""Measures how fast an environment steps with nothing else around it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pufftui.envs.library import EnvLibrary
from pufftui.envs.random_play import act_at_random
from pufftui.envs.vector import StepBuffers, VectorEnv

AGENTS = 2048
MOST_STATES = 1 << 30
"""Bytes that the states of all games may take."""
SLOTS = 16
"""Steps are written in turn into so many slots, as a rollout does."""
REPEATS = 7


@dataclass(frozen=True, slots=True)
class EnvSpeed:
    """Agent steps per second, observations included; the median of some repeats."""

    env: str
    threads: int
    agents: int
    sps: float

    @property
    def ns_per_step(self) -> float:
        """Nanoseconds of one agent step on the clock, whatever the number of threads."""
        return 1e9 / self.sps

    def as_dict(self) -> dict[str, object]:
        """The figures as `pufftui bench --json` prints them."""
        return {
            "kind": "env",
            "env": self.env,
            "threads": self.threads,
            "agents": self.agents,
            "sps": round(self.sps),
            "ns_per_step": round(self.ns_per_step, 2),
        }


def measure(
    library: EnvLibrary,
    threads: int,
    seconds: float = 2.0,
    agents: int = AGENTS,
    given: Mapping[str, object] | None = None,
) -> EnvSpeed:
    """Steps some `agents` with random actions, drawn beforehand, for `seconds` in all.

    `given` are parameters that differ from their defaults; raises `PuffError` for what is unknown.
    """
    parameters = library.descriptor.parameter_values(given or {})
    descriptor = library.descriptor_with(parameters)
    room = max(MOST_STATES // library.state_bytes(parameters), 1)
    environments = min(-(-agents // descriptor.agents), room)
    with VectorEnv(library, parameters, environments=environments, threads=threads) as env:
        slots = [_slot(env, seed) for seed in range(SLOTS)]
        env.reset(0, slots[0])
        _run(env, slots, seconds / 10)  # caches, clock rates, and games of all ages
        rates = [_run(env, slots, seconds / REPEATS) for _ in range(REPEATS)]
        return EnvSpeed(descriptor.name, threads, env.agents, statistics.median(rates))


def _slot(env: VectorEnv, seed: int) -> StepBuffers:
    buffers = env.buffers()
    act_at_random(env.descriptor, np.random.default_rng(seed), buffers.actions)
    return buffers


def _run(env: VectorEnv, slots: list[StepBuffers], seconds: float) -> float:
    """Steps for so long; returns agent steps per second."""
    steps = 0
    start = time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        for buffers in slots:
            env.step(0, buffers)
        steps += len(slots) * env.agents
    return steps / elapsed
