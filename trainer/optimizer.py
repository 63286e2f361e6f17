"""Muon for matrices and Adam for the rest, one learning rate, one gradient clip."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from pufftui.trainer.config import TrainConfig
from pufftui.trainer.graphs import Function, recorded

ADAM_SHARE = 0.1
"""Adam's step as a share of Muon's: biases move by this much of the learning rate."""


class PolicyOptimizer:
    """Steps a policy's parameters; its whole state goes through `state` and `restore`.

    Muon: Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024). Every
    argument is explicit: defaults differ between releases and libraries.

    torch's Muon takes its learning rate as a Python number, which a CUDA graph would keep for ever.
    So the optimizers move tensors that begin each step at zero, at the rate 1, and the parameters
    follow these moves at the rate of the step.
    """

    def __init__(self, policy: nn.Module, config: TrainConfig) -> None:
        self._parameters = dict(policy.named_parameters())
        self._moves = {name: torch.zeros_like(p) for name, p in self._parameters.items()}
        muon = config.optimizer == "muon"
        matrices = [name for name, p in self._parameters.items() if muon and p.ndim == 2]
        others = [name for name in self._parameters if name not in matrices]
        self._shares = {
            name: 1.0 if name in matrices or not muon else ADAM_SHARE for name in self._moves
        }
        self._optimizers: list[torch.optim.Optimizer] = []
        if matrices:
            self._optimizers.append(
                torch.optim.Muon(
                    [self._moves[name] for name in matrices],
                    lr=1.0,
                    weight_decay=0.0,
                    momentum=config.momentum,
                    nesterov=True,
                    ns_steps=5,
                    adjust_lr_fn="original",
                )
            )
        if others:
            moves = [self._moves[name] for name in others]
            self._optimizers.append(
                torch.optim.Adam(
                    moves,
                    lr=1.0,
                    betas=(0.9 if muon else config.momentum, 0.999),
                    eps=1e-8,
                    fused=True,
                    capturable=moves[0].is_cuda,
                )
            )
        self._make_state()
        self._work: Function | None = None
        self.unrecorded = ""
        """Why a step is not recorded as a CUDA graph, though there is a GPU."""

    def step(self, learning_rate: float, max_gradient_norm: float) -> tuple[Tensor, Tensor]:
        """One step; returns the gradient's norm before clipping and whether it was finite.

        A gradient that is not finite is replaced by zero on the device, without asking it.
        """
        gradients = []
        for parameter in self._parameters.values():
            assert parameter.grad is not None
            gradients.append(parameter.grad)
            parameter.grad = None
        numbers = torch.tensor([learning_rate, max_gradient_norm])
        inputs = (numbers.to(gradients[0].device, non_blocking=True), *gradients)
        if self._work is None:
            self._work = self._recorded(inputs) if inputs[0].is_cuda else self._step
        norm, finite = self._work(*inputs)
        return norm, finite

    def state(self) -> dict[str, Tensor]:
        """Momentum and counters by `parameter/entry`."""
        return {
            f"{name}/{entry}": value
            for name, move in self._moves.items()
            for optimizer in self._optimizers
            for entry, value in optimizer.state.get(move, {}).items()
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Puts back what `state` returned, in place; what is missing there begins anew."""
        for name, value in self.state().items():
            value.copy_(state[name]) if name in state else value.zero_()

    def _make_state(self) -> None:
        """An optimizer of torch makes its state in its first step: takes one, and clears what it left."""
        nowhere = [torch.zeros_like(move) for move in self._moves.values()]
        numbers = torch.ones(2, device=nowhere[0].device)
        self._step(numbers, *nowhere)
        self.restore({})

    def _recorded(self, inputs: tuple[Tensor, ...]) -> Function:
        """The step as a CUDA graph if it can be; recording takes steps, which leave no trace."""
        changed = [*self._parameters.values(), *self.state().values()]
        before = [tensor.detach().clone() for tensor in changed]
        work, self.unrecorded = recorded(self._step, *inputs)
        with torch.no_grad():
            for tensor, value in zip(changed, before, strict=True):
                tensor.copy_(value)
        return work

    @torch.no_grad()
    def _step(self, numbers: Tensor, *gradients: Tensor) -> tuple[Tensor, ...]:
        """The step with these (learning rate, most that the gradient's norm may be)."""
        learning_rate, most = numbers.unbind()
        norm = torch.nn.utils.get_total_norm(gradients)
        finite = torch.isfinite(norm)
        scale = (most / (norm + 1e-6)).clamp(max=1.0)
        for move, gradient in zip(self._moves.values(), gradients, strict=True):
            move.zero_()
            move.grad = torch.where(finite, gradient * scale, 0.0)
        with _one_thread():
            for optimizer in self._optimizers:
                optimizer.step()
            for name, parameter in self._parameters.items():
                parameter.addcmul_(self._moves[name], learning_rate, value=self._shares[name])
        return norm, finite


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Keeps torch on one CPU thread: waking others costs more than such small products take."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def scheduled_learning_rate(config: TrainConfig, step: int) -> float:
    """The learning rate after `step` agent steps: a cosine from the start's to the final share."""
    progress = min(step / config.total_steps, 1.0)
    floor = config.final_learning_rate
    share = floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress))
    return config.learning_rate * share
