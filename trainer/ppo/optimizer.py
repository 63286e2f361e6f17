"""Muon for matrices and Adam for the rest, one learning rate, one gradient clip."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from pufftui.envs.errors import PuffError
from pufftui.trainer import kernels
from pufftui.trainer.collecting.graphs import Function, recorded
from pufftui.trainer.kernels.threads import one_thread
from pufftui.trainer.ppo import cpu_step
from pufftui.trainer.ppo.adam import Adam
from pufftui.trainer.ppo.device import product_dtype
from pufftui.trainer.ppo.muon import COEFFICIENTS, ITERATIONS, Muon
from pufftui.trainer.settings.fields import TrainConfig

ADAM_SHARE = 0.1
"""Adam's step as a share of Muon's: biases move by this much of the learning rate."""


class PolicyOptimizer:
    """Steps a policy's parameters; its whole state goes through `state` and `restore`.

    A CUDA graph would keep a learning rate that is a Python number. So Muon and Adam tell their moves at a
    rate of 1, and the parameters follow at the rate of the step, a number on the device.
    """

    def __init__(self, policy: nn.Module, config: TrainConfig) -> None:
        self._parameters = dict(policy.named_parameters())
        muon = config.optimizer == "muon"
        matrices = {name: p for name, p in self._parameters.items() if muon and p.ndim == 2}
        device = next(iter(self._parameters.values())).device
        self._settings: dict[str, Any] = {
            "momentum": config.momentum,
            "share": ADAM_SHARE if muon else 1.0,
            "betas": (0.9 if muon else config.momentum, 0.999),
            "epsilon": 1e-8,
            "dtype": product_dtype("auto", device),
            "iterations": ITERATIONS,
            "coefficients": COEFFICIENTS,
        }
        self._muon = Muon(matrices, config.momentum, self._settings["dtype"])
        self._adam = Adam(
            {name: p for name, p in self._parameters.items() if name not in matrices},
            rate=self._settings["share"],
            betas=self._settings["betas"],
            epsilon=self._settings["epsilon"],
        )
        self._work: Function | None = None
        self.unrecorded = ""
        """Why a step is not recorded as a CUDA graph, though there is a GPU."""
        self.in_kernels: Callable[[Tensor, Sequence[Tensor]], tuple[Tensor, Tensor]] | None = None
        self.unfused = ""
        """Why torch takes the steps, though there is a GPU."""
        if kernels.is_gpu(device):
            self._fuse(device)
        elif cpu_step.fits(list(self._parameters.values())):
            self.in_kernels = cpu_step.CpuStep(self._parameters, self._adam, self._muon)

    def step(self, numbers: Tensor, *, recording: bool = False) -> tuple[Tensor, Tensor]:
        """One step with these `numbers` (2,): the learning rate, and the most that the gradient's norm may be.

        Returns the gradient's norm before clipping and whether it was finite. A gradient that is not finite is
        replaced by zero on the device, without asking it. While `recording`, what is around it is being recorded.
        """
        gradients = []
        for parameter in self._parameters.values():
            assert parameter.grad is not None
            gradients.append(parameter.grad)
            parameter.grad = None
        inputs = (numbers.float(), *gradients)
        if recording:
            return self.step_in_place(inputs[0], gradients)
        if self._work is None:
            self._work = self._recorded(inputs) if inputs[0].is_cuda else self._step
        norm, finite = self._work(*inputs)
        return norm, finite

    def step_in_place(self, numbers: Tensor, gradients: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """As `step`, of gradients in the order of the parameters, and always as it stands: to be part of a graph.

        `numbers` are the (learning rate, most that the gradient's norm may be), on the device.
        """
        norm, finite = self._step(numbers, *gradients)
        return norm, finite

    def state(self) -> dict[str, Tensor]:
        """Momentum and counters by `parameter/entry`."""
        buffers = self._muon.momentum_buffers
        return {f"{name}/momentum_buffer": buffer for name, buffer in buffers.items()} | {
            f"{name}/{entry}": value
            for name, entries in self._adam.state.items()
            for entry, value in entries.items()
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Puts back what `state` returned, in place; from nothing it begins anew.

        Raises `PuffError` if a part is missing.
        """
        own = self.state()
        if state and (missing := sorted(own.keys() - state.keys())):
            raise PuffError(f"The optimizer's {missing[0]} is missing.", "Use another checkpoint.")
        for name, value in own.items():
            value.copy_(state[name]) if state else value.zero_()

    def _recorded(self, inputs: tuple[Tensor, ...]) -> Function:
        """The step as a CUDA graph if it can be; recording takes steps, which leave no trace."""
        changed = [*self._parameters.values(), *self.state().values()]
        work, self.unrecorded = recorded(self._step, *inputs, undo=changed)
        return work

    def _fuse(self, device: torch.device) -> None:
        """Has few kernels take the steps if they can: tries one that moves nothing and leaves no trace."""
        parameters, momenta = self._parameters, self._muon.momentum_buffers
        self.in_kernels = None
        self.unfused = kernels.missing(device)
        if self.unfused:
            return
        from pufftui.trainer.kernels import gpu_optimizer

        if not gpu_optimizer.fits(list(parameters.values()), momenta.values()):
            self.unfused = "the card is too old for them, or a matrix too large"
            return
        try:
            step = gpu_optimizer.GpuStep(parameters, momenta, self._adam.state, **self._settings)
            nothing = [torch.zeros_like(parameter) for parameter in parameters.values()]
            step(torch.zeros(2, device=device), nothing)
        except Exception as error:  # noqa: BLE001 - Triton, its compiler and the driver have many
            self.unfused = str(error).partition("\n")[0] or type(error).__name__
        else:
            self.in_kernels = step
        self.restore({})

    @torch.no_grad()
    def _step(self, numbers: Tensor, *gradients: Tensor) -> tuple[Tensor, ...]:
        """The step with these (learning rate, most that the gradient's norm may be)."""
        if self.in_kernels is not None:
            return self.in_kernels(numbers, gradients)
        learning_rate, most = numbers.unbind()
        with one_thread():
            norm = torch.nn.utils.get_total_norm(gradients)
            finite = torch.isfinite(norm)
            scale = (most / (norm + 1e-6)).clamp(max=1.0)
            clipped = {
                name: torch.where(finite, gradient * scale, 0.0)
                for name, gradient in zip(self._parameters, gradients, strict=True)
            }
            moves = self._adam.moves(clipped) | self._muon.moves(clipped)
            for name, move in moves.items():
                self._parameters[name].addcmul_(move, learning_rate)
        return norm, finite


def scheduled_learning_rate(config: TrainConfig, step: int) -> float:
    """The learning rate after `step` agent steps: a cosine from the start's to the final share."""
    progress = min(step / config.total_steps, 1.0)
    floor = config.final_learning_rate
    share = floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress))
    return config.learning_rate * share
