"""A policy's decisions by torch's operations on the CPU: in parts that are worked on at the same time, one thread each."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pufftui.trainer.kernels.threads import one_thread, workers
from pufftui.trainer.network.policy import Policy

PART = 256
"""Agents of a part, at most."""

Step = Callable[[Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]
"""Observations (rows, bytes) and states (layers, parts, rows, hidden) -> action parameters, values, next states."""


class StepInParts:
    """A product that threads share may round otherwise than one thread's: by their number other actions would be drawn.

    Parts do not depend on the number of threads, so what is decided is the same bytes on any number of cores.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def __call__(self, observations: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As `Policy.step`; what fails in a part is raised."""
        rows = observations.split(PART)
        if len(rows) == 1 or torch.get_num_threads() == 1:
            with one_thread():
                return self._joined(
                    [self._one(*part) for part in zip(rows, self._cut(state, rows), strict=True)]
                )
        found = workers(torch.get_num_threads()).map(self._one, rows, self._cut(state, rows))
        return self._joined(list(found))

    def _cut(self, state: Tensor, rows: tuple[Tensor, ...]) -> list[Tensor]:
        return (
            list(state.split([len(part) for part in rows], dim=2))
            if state.numel()
            else [state] * len(rows)
        )

    def _one(self, observations: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        with torch.inference_mode():  # which holds for the thread that says so
            return self._policy.step(observations, state)

    def _joined(self, found: list[tuple[Tensor, Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
        if len(found) == 1:
            return found[0]
        outputs, values, states = zip(*found, strict=True)
        state = torch.cat(states, dim=2) if states[0].numel() else states[0]
        return torch.cat(outputs), torch.cat(values), state
