"""Muon for matrices and Adam for the rest, one learning rate, one gradient clip."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from pufftui.trainer.config import TrainConfig

ADAM_SHARE = 0.1
"""Adam's step as a share of Muon's: biases move by this much of the learning rate."""


class PolicyOptimizer:
    """Steps a policy's parameters; its whole state goes through `state` and `restore`.

    Muon: Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024). Every
    argument is explicit: defaults differ between releases and libraries.
    """

    def __init__(self, policy: nn.Module, config: TrainConfig) -> None:
        self._named = dict(policy.named_parameters())
        muon = config.optimizer == "muon"
        matrices = [p for p in self._named.values() if muon and p.ndim == 2]
        others = [p for p in self._named.values() if not (muon and p.ndim == 2)]
        self._optimizers: list[torch.optim.Optimizer] = []
        self._shares: list[float] = []
        if matrices:
            self._optimizers.append(
                torch.optim.Muon(
                    matrices,
                    lr=config.learning_rate,
                    weight_decay=0.0,
                    momentum=config.momentum,
                    nesterov=True,
                    ns_steps=5,
                    adjust_lr_fn="original",
                )
            )
            self._shares.append(1.0)
        if others:
            self._optimizers.append(
                torch.optim.Adam(
                    others,
                    lr=config.learning_rate,
                    betas=(0.9 if muon else config.momentum, 0.999),
                    eps=1e-8,
                    fused=True,
                )
            )
            self._shares.append(ADAM_SHARE if muon else 1.0)

    def step(self, learning_rate: float, max_gradient_norm: float) -> tuple[Tensor, Tensor]:
        """One step; returns the gradient's norm before clipping and whether it was finite.

        A gradient that is not finite is replaced by zero on the device, without asking it.
        """
        gradients = [p.grad for p in self._named.values() if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        finite = torch.isfinite(norm)
        scale = (max_gradient_norm / (norm + 1e-6)).clamp(max=1.0)
        for gradient in gradients:
            gradient.copy_(torch.where(finite, gradient * scale, 0.0))
        with _one_thread():
            for optimizer, share in zip(self._optimizers, self._shares, strict=True):
                for group in optimizer.param_groups:
                    group["lr"] = learning_rate * share
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
        return norm, finite

    def state(self) -> dict[str, Tensor]:
        """Momentum and counters by `parameter/entry`."""
        return {
            f"{name}/{entry}": torch.as_tensor(value)
            for name, parameter in self._named.items()
            for optimizer in self._optimizers
            for entry, value in optimizer.state.get(parameter, {}).items()
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Puts back what `state` returned."""
        for optimizer in self._optimizers:
            owned = {id(p) for group in optimizer.param_groups for p in group["params"]}
            for name, parameter in self._named.items():
                if id(parameter) not in owned:
                    continue
                for key, value in state.items():
                    owner, entry = key.rsplit("/", 1)
                    if owner == name:
                        optimizer.state[parameter][entry] = value.to(parameter.device).clone()


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
