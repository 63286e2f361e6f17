"""Plays a rollout's steps on the CPU, outside Python; see kernels/c/steps/cpu_steps.h."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from pufftui.envs.vector import BlockFunctions, StepBuffers, VectorEnv
from pufftui.trainer import kernels
from pufftui.trainer.collecting.clock import PATIENCE, Clock
from pufftui.trainer.collecting.cpu_decision import CpuDecision
from pufftui.trainer.collecting.decision import Group
from pufftui.trainer.collecting.rollout import RolloutMemory

FEW = 128
"""Agents for whom the way from step to step costs more than other threads could take off."""

EVEN = 0.75
"""The least share of the threads' time for which blocks of like work must keep them busy. Where it is less, each step by
itself is divided better."""


def block_functions(vector: VectorEnv) -> BlockFunctions | None:
    """How to take blocks of these environments through a rollout, if they keep all threads busy or there is little to do."""
    functions = vector.block_functions()
    if functions is None:
        return None
    blocks, threads = functions.blocks * vector.groups, torch.get_num_threads()
    players = min(threads, int(kernels.opened()[1].PUFF_PARTIAL_SUMS))
    rounds = -(-blocks // players)
    even = blocks >= EVEN * rounds * threads
    return functions if even or vector.agents <= FEW else None


class CpuSteps:
    """The steps of one collector's rollouts; every address is fixed when it is made."""

    def __init__(
        self,
        functions: BlockFunctions,
        vector: VectorEnv,
        decision: CpuDecision,
        memory: RolloutMemory,
        groups: Sequence[Group],
        buffers: Sequence[Sequence[StepBuffers]],
    ) -> None:
        """`buffers` are step by step, each with one entry a group; so are the decisions that are made."""
        ffi, self._lib = kernels.opened()
        self._vector, self._horizon = vector, memory.horizon
        self._job = job = ffi.new("puff_cpu_steps *")

        def address(tensor: torch.Tensor, kind: str = "uint8_t *") -> Any:
            return ffi.cast(kind, tensor.data_ptr())

        decisions = [
            decision.call(step, group).job for step in range(memory.horizon + 1) for group in groups
        ]
        job.horizon, job.groups, job.agents = memory.horizon, vector.groups, vector.group_agents
        job.blocks, job.block_agents = functions.blocks, functions.block_agents
        arrays = {
            "decisions": ffi.new("puff_decision *[]", decisions),
            "buffers": ffi.new(
                "void *[]", [ffi.cast("void *", b.address) for s in buffers for b in s]
            ),
        }
        job.decisions = ffi.cast("puff_decision **", arrays["decisions"])
        job.buffers = ffi.cast("void **", arrays["buffers"])
        signature = "uint32_t (*)(void *, uint32_t, uint32_t, uint64_t, const void *)"
        job.step = ffi.cast(signature, functions.step)
        job.environments = ffi.cast("void *", functions.environments)
        job.finals = address(memory.finals)
        job.terminals, job.truncations, job.alive = map(address, memory.host_flags)
        job.resets = address(memory.host_resets)
        job.final_values = address(memory.final_values, "float *")
        self._played = np.zeros(vector.groups * functions.blocks, np.uint32)
        self._seconds = np.zeros((len(self._played), 2))
        job.played = ffi.cast("uint32_t *", self._played.ctypes.data)
        job.seconds = ffi.cast("double *", self._seconds.ctypes.data)
        scratch = torch.empty(self._lib.puff_cpu_steps_scratch(decisions[0]), dtype=torch.uint8)
        job.scratch = address(scratch)
        job.patience = PATIENCE
        self._kept = (functions, decision, memory, buffers, arrays, scratch)

    def play(self, clock: Clock, interrupted: Callable[[], bool]) -> bool:
        """Plays a whole rollout; False if `interrupted` said so on the way, where blocks may have come to other steps."""
        self._played[:] = 0
        while (self._played < self._horizon).any():
            if interrupted():
                return False
            self._seconds[:] = 0
            began = time.perf_counter()
            self._lib.puff_cpu_steps_play(kernels.pool(torch.get_num_threads()), self._job)
            seconds = time.perf_counter() - began
            environments, decisions = self._seconds.sum(axis=0)
            share = float(environments / (environments + decisions))
            clock.add("env", seconds * share)
            clock.add("forward", seconds * (1 - share))
        for group in range(self._vector.groups):
            self._vector.stepped(group, self._horizon)
        return True
