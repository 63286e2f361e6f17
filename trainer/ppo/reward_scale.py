"""Finds the scale of the rewards while training, so that returns are of size one, whatever the environment pays.

Like PopArt (van Hasselt et al., arXiv 1602.07714), whenever the scale changes the last layer is changed so
that the values keep their meaning. So is the constant part of the values, which is solved for exactly: with b
added to every value, the mean of the one-step errors r + gamma V' - V changes by b (gamma p - 1), where
p is the share of steps that end nothing; it is zero for

    b = mean error / (1 - gamma p)

which is temporal-difference learning of a single feature that is always one, in one step.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pufftui.trainer.collecting.rollout import Rollout
from pufftui.trainer.settings.choice import MOST_REWARD

WIDER, NARROWER = 0.1, 0.005
"""How far one update moves the spread of the returns: quickly up, slowly down, since a policy that has
converged would make it small and its noise large."""

CERTAIN = 4.0
"""Standard errors that the mean error must be away from zero before the values are shifted."""

LEAST_DISCOUNT = 1e-4
"""What 1 - gamma counts as if it is less."""

SHIFTED = 0.5
"""The part of the shift that is made at once."""


@dataclass(slots=True)
class RewardScale:
    """The scale in hand, and what it was made from, in the environment's own units.

    `variance` is that of the value targets, smoothed; `largest` the largest reward so far.
    """

    scale: float
    variance: float = 0.0
    largest: float = 0.0

    def follow(self, figures: Mapping[str, float], gamma: float) -> tuple[float, float]:
        """Takes in the `return_figures` of a rollout, of which nothing need be finite.

        Returns (factor, shift): every value becomes factor * (value + shift).
        """
        if not all(math.isfinite(figures[name]) for name in FIGURES):
            return 1.0, 0.0
        self.largest = max(self.largest, figures["largest_reward"] / self.scale)
        if self.largest == 0:
            return 1.0, 0.0
        # No return is larger, whatever a value that has lost its way makes of the targets.
        most = (self.largest / max(1 - gamma, LEAST_DISCOUNT)) ** 2
        variance = min(figures["target_variance"] / self.scale**2, most)
        rate = WIDER if variance > self.variance else NARROWER
        self.variance = (
            variance if self.variance == 0 else self.variance + rate * (variance - self.variance)
        )
        spread = math.sqrt(self.variance)
        scale = min(1 / spread if spread else math.inf, MOST_REWARD / self.largest)
        factor, self.scale = scale / self.scale, scale
        error, uncertainty = figures["value_error"], figures["value_uncertainty"]
        if abs(error) <= CERTAIN * uncertainty:
            return factor, 0.0
        return factor, SHIFTED * error / max(1 - gamma * figures["going_on"], LEAST_DISCOUNT)

    def state(self) -> NDArray[np.float64]:
        """What `restore` needs, (3,)."""
        return np.array([getattr(self, field.name) for field in fields(self)])

    def restore(self, state: NDArray[np.float64]) -> None:
        """Puts back what `state` returned."""
        for field, value in zip(fields(self), state.tolist(), strict=True):
            setattr(self, field.name, value)


FIGURES = ("target_variance", "largest_reward", "value_error", "value_uncertainty", "going_on")


def return_figures(rollout: Rollout, advantages: Tensor, gamma: float) -> dict[str, Tensor]:
    """What `RewardScale.follow` wants to know of a rollout, by `FIGURES`, over the agents alive.

    `advantages` (horizon, agents) are those of the policy that played.
    """
    alive = rollout.alive.float()
    count = alive.sum().clamp(min=1)

    def mean(values: Tensor) -> Tensor:
        return torch.where(rollout.alive > 0, values, 0).sum() / count

    values = rollout.values[:-1]
    targets = advantages + values
    ends = rollout.terminals > 0
    after = torch.where(rollout.truncations > 0, rollout.final_values, rollout.values[1:])
    errors = rollout.rewards + gamma * after.masked_fill(ends, 0) - values
    error, target = mean(errors), mean(targets)
    figures = (
        mean((targets - target).square()),
        torch.where(rollout.alive > 0, rollout.unclipped.abs(), 0).max(),
        error,
        (mean((errors - error).square()) / count).sqrt(),
        1 - mean(rollout.terminals.float()),
    )
    return dict(zip(FIGURES, figures, strict=True))
