"""Plays a rollout's steps through the GPU's driver, outside Python; see kernels/c/steps/gpu_steps.h."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pufftui.envs.vector import StepBuffers, VectorEnv
from pufftui.trainer import kernels
from pufftui.trainer.collecting.clock import PATIENCE, Clock
from pufftui.trainer.collecting.rollout import RolloutMemory

DRIVER = "libcuda.so.1"
"""By its soname, so that the system's loader looks for it, never the current folder."""


def open_driver(library: str = DRIVER) -> Any | None:
    """The driver's functions, a `puff_driver`; None if the library is not there."""
    ffi, lib = kernels.opened()
    driver = ffi.new("puff_driver *")
    return driver if lib.puff_driver_open(library.encode(), driver) else None


class GpuSteps:
    """The steps of one collector's rollouts; every address is fixed when it is made.

    `streams` and `final_values` hold a handle for each group, `decisions` one for each step and group and,
    behind them, one a group that looks at what follows the rollout.
    """

    def __init__(
        self,
        driver: Any,
        vector: VectorEnv,
        memory: RolloutMemory,
        buffers: Sequence[Sequence[StepBuffers]],
        *,
        streams: Sequence[int],
        decisions: Sequence[Sequence[int]],
        final_values: Sequence[int],
    ) -> None:
        """`buffers` and `decisions` are step by step, each with one entry a group."""
        ffi, self._lib = kernels.opened()
        self._job = job = ffi.new("puff_steps *")

        def pointers(values: Sequence[Any]) -> Any:
            return ffi.new("void *[]", [ffi.cast("void *", value) for value in values])

        def address(tensor: Any, kind: str = "uint8_t *") -> Any:
            return ffi.cast(kind, tensor.data_ptr())

        job.horizon, job.groups, job.agents = memory.horizon, vector.groups, vector.group_agents
        job.driver = driver[0]
        arrays = {
            "streams": pointers(streams),
            "decisions": pointers([handle for step in decisions for handle in step]),
            "final_values": pointers(final_values),
            "buffers": pointers([b.address for step in buffers for b in step]),
        }
        for name, array in arrays.items():
            setattr(job, name, ffi.cast("void **", array))
        functions = vector.step_functions()
        job.start = ffi.cast("void (*)(void *, uint32_t, const void *)", functions.start)
        job.finish = ffi.cast("uint32_t (*)(void *, uint32_t)", functions.finish)
        job.environments = ffi.cast("void *", functions.environments)
        job.terminals, job.truncations, job.alive = map(address, memory.host_flags)
        job.resets = address(memory.host_resets)
        job.truncated = address(memory.truncated)
        job.truncated_steps = address(memory.truncated_steps, "int32_t *")
        job.patience = PATIENCE
        self._kept = (driver, arrays, vector, memory, buffers)

    def play(self, clock: Clock, interrupted: Callable[[], bool]) -> bool:
        """Plays a whole rollout; False if `interrupted` said so on the way, between two steps."""
        job = self._job
        job.step = 0
        while job.step < job.horizon:
            if interrupted():
                return False
            job.env_seconds = job.wait_seconds = 0
            self._lib.puff_steps_play(job)
            clock.add("env", job.env_seconds)
            clock.add("forward", job.wait_seconds)
            if job.error:
                raise RuntimeError(f"The GPU's driver stopped a rollout with error {job.error}.")
        return True
