"""What is new in every update, in memory on the device that a recorded update reads."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pufftui.trainer.ppo.loss import coefficients
from pufftui.trainer.ppo.minibatch import minibatch_plan
from pufftui.trainer.settings.fields import TrainConfig

COUNT = 7
"""Numbers beside the draws: four coefficients, two for the optimizer's step, and beta."""


class Chance:
    """The random numbers of an update, and its settings that change with every epoch.

    `draws` are a uniform number for each minibatch (minibatches,) float32, or the rows of each
    (minibatches, segments) int64 if all segments count alike.
    """

    def __init__(self, generator: torch.Generator, device: torch.device) -> None:
        """Everything that is drawn comes from the generator, and is on the device."""
        self._options: dict[str, Any] = {"generator": generator, "device": device}
        self.draws = torch.empty(0, device=device)
        self._numbers = torch.zeros(COUNT, dtype=torch.float64, device=device)
        self._host_numbers = torch.zeros(
            COUNT, dtype=torch.float64, pin_memory=device.type == "cuda"
        )

    @property
    def coefficients(self) -> Tensor:
        """Those of the loss, as `loss.coefficients`: (4,) float64."""
        return self._numbers[:4]

    @property
    def step(self) -> Tensor:
        """The learning rate and the largest norm of the gradient, (2,) float64."""
        return self._numbers[4:6]

    @property
    def beta(self) -> Tensor:
        """The correction for prioritised sampling, (1,) float64."""
        return self._numbers[6:]

    def renew(self, config: TrainConfig, agents: int, learning_rate: float, beta: float) -> bool:
        """Brings what is new in an update of `agents` segments to the device, and draws.

        Returns whether `draws` has moved, so that what was recorded with it has to be recorded anew.
        """
        segments, minibatches = minibatch_plan(config, agents)
        rest = (learning_rate, config.max_gradient_norm, beta)
        self._host_numbers.numpy()[:] = (*coefficients(config), *rest)
        self._numbers.copy_(self._host_numbers, non_blocking=True)
        alike = config.priority_alpha <= 0
        shape = (minibatches, segments) if alike else (minibatches,)
        moved = self.draws.shape != shape
        if moved:
            dtype = torch.long if alike else torch.float32
            self.draws = torch.empty(shape, dtype=dtype, device=self.draws.device)
        if alike:
            rounds = -(-segments * minibatches // agents)
            order = torch.cat([torch.randperm(agents, **self._options) for _ in range(rounds)])
            self.draws.copy_(order[: segments * minibatches].view(shape))
        else:
            torch.rand(shape, out=self.draws, **self._options)
        return moved


def priority_beta(config: TrainConfig, step: int) -> float:
    """The correction for prioritised sampling, growing linearly to 1 over the run."""
    progress = min(step / config.total_steps, 1.0)
    return config.priority_beta + (1 - config.priority_beta) * progress
