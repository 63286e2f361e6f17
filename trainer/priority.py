"""Which segments a minibatch is made of: those with more to learn from come more often."""

from __future__ import annotations

import torch
from torch import Tensor

UNIFORM_SHARE = 0.1
"""Part of the probability that is spread evenly, so that no weight explodes."""


def segment_probabilities(magnitudes: Tensor, alpha: float) -> Tensor:
    """Sums of |A| over each agent's segment (agents,) -> its probability (agents,).

    p = 0.9 w / sum(w) + 0.1 / N with w = (sum_t |A_t|)^alpha; prioritised replay (Schaul et al.,
    arXiv 1511.05952) mixed with the uniform distribution.
    """
    weights = magnitudes.pow(alpha)
    uniform = torch.full_like(weights, 1 / weights.numel())
    total = weights.sum()
    mixed = (1 - UNIFORM_SHARE) * weights / total.clamp(min=1e-30) + UNIFORM_SHARE * uniform
    return torch.where(total > 0, mixed, uniform)


def systematic_sample(probabilities: Tensor, count: int, start: Tensor) -> Tensor:
    """Draws `count` rows with one number that is uniform in [0, 1).

    Row i comes count * p_i times, rounded up or down.
    """
    places = (torch.arange(count, device=probabilities.device) + start) / count
    cumulative = probabilities.cumsum(0)
    rows = torch.searchsorted(cumulative / cumulative[-1], places)
    return rows.clamp(max=probabilities.numel() - 1)


def importance_weights(probabilities: Tensor, rows: Tensor, beta: Tensor | float) -> Tensor:
    """Weights (N p_i)^-beta that correct for the uneven sampling."""
    return (probabilities.numel() * probabilities[rows]).pow(-beta)
