"""The PPO loss of a minibatch (Schulman et al., arXiv 1707.06347) and the figures beside it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pufftui.trainer.messages.snapshot import LOSSES
from pufftui.trainer.settings.fields import TrainConfig


@dataclass(frozen=True, slots=True, eq=False)
class MinibatchLoss:
    """The loss to minimise and, detached, what it is made of.

    `ratios` and `values` are (horizon, segments) under the policy in hand; `figures` are in the
    order of `FIGURES`, float32.
    """

    total: Tensor
    ratios: Tensor
    values: Tensor
    figures: Tensor


FIGURES = tuple(name for name in LOSSES if name != "grad_norm")
"""What is told of every minibatch; in kernels the sums behind them have the same names and order."""


def coefficients(config: TrainConfig) -> tuple[float, float, float, float]:
    """Clip, value clip, and the weights of the value loss and of the entropy."""
    return (
        config.clip,
        config.value_clip,
        config.value_coefficient,
        config.entropy_coefficient,
    )


def advantage_moments(advantages: Tensor, alive: Tensor) -> Tensor:
    """Count, sum and sum of squares of the advantages of those alive, (3,) float64."""
    living = (advantages * alive).double()
    return torch.stack((alive.double().sum(), living.sum(), living.square().sum()))


def normalise(advantages: Tensor, moments: Tensor) -> Tensor:
    """Advantages with mean 0 and standard deviation 1 in the batch that the moments are of."""
    count = moments[0].clamp(min=1)
    mean = moments[1] / count
    deviation = (moments[2] / count - mean.square()).clamp(min=0).sqrt()
    return (advantages - mean.float()) / (deviation.float() + 1e-8)


def ppo_loss(
    *,
    log_probabilities: Tensor,
    old_log_probabilities: Tensor,
    entropies: Tensor,
    values: Tensor,
    old_values: Tensor,
    targets: Tensor,
    advantages: Tensor,
    alive: Tensor,
    count: Tensor,
    coefficients: Tensor,
) -> MinibatchLoss:
    """Clipped policy loss, clipped value loss and entropy, over the agents that are alive.

    With r = exp(log_probabilities - old_log_probabilities), all inputs (horizon, segments):

        L = mean max(-A r, -A clip(r, 1 - clip, 1 + clip))
            + value_coefficient * 0.5 * mean max((v - R)^2, (v_old + clip(v - v_old) - R)^2)
            - entropy_coefficient * mean H

    `advantages` arrive normalised and weighted; `alive` is float32, 0 or 1. The mean of the loss
    is over `count` agent steps, those of the whole minibatch that this may be a part of; the
    figures are means over this part.
    """
    numbers = coefficients.to(values.dtype)
    clip, value_clip, value_coefficient, entropy_coefficient = numbers.unbind()
    own_count = alive.sum().clamp(min=1)

    def mean(values: Tensor) -> Tensor:
        return (values * alive).sum() / own_count

    log_ratio = log_probabilities - old_log_probabilities
    ratios = log_ratio.exp()
    clipped = ratios.clamp(1 - clip, 1 + clip)
    policy_loss = mean(torch.maximum(-advantages * ratios, -advantages * clipped))
    moved = (values - old_values).clamp(-value_clip, value_clip)
    value_error = torch.maximum(
        (values - targets).square(), (old_values + moved - targets).square()
    )
    value_loss = 0.5 * mean(value_error)
    entropy = mean(entropies)
    loss = policy_loss + value_coefficient * value_loss
    total = (loss - entropy_coefficient * entropy) * (own_count / count.clamp(min=1))
    with torch.no_grad():
        figures = {
            "policy_loss": policy_loss.detach(),
            "value_loss": value_loss.detach(),
            "entropy": entropy.detach(),
            "old_approx_kl": mean(-log_ratio),
            "approx_kl": mean(ratios - 1 - log_ratio),
            "clipfrac": mean(((ratios - 1).abs() > clip).float()),
            "importance": mean(ratios),
            "explained_variance": explained_variance(old_values, targets, alive),
        }
        in_order = torch.stack([figures[name] for name in FIGURES])
    return MinibatchLoss(total, ratios.detach(), values.detach(), in_order)


def explained_variance(values: Tensor, targets: Tensor, alive: Tensor) -> Tensor:
    """1 - Var(targets - values) / Var(targets) over the agents alive; NaN if targets are flat."""
    count = alive.sum().clamp(min=1)

    def variance(numbers: Tensor) -> Tensor:
        mean = (numbers * alive).sum() / count
        return ((numbers - mean).square() * alive).sum() / count

    spread = variance(targets)
    return torch.where(spread > 0, 1 - variance(targets - values) / spread, torch.nan)
