"""Which segments a minibatch is made of: those with more to learn from come more often."""

from __future__ import annotations

import torch
from torch import Tensor

from pufftui.trainer import kernels

UNIFORM_SHARE = 0.1
"""Part of the probability that is spread evenly, so that no weight explodes."""


def draw_segments(
    magnitudes: Tensor, alpha: float, beta: Tensor, start: Tensor, count: int
) -> tuple[Tensor, Tensor]:
    """`count` rows (count,) int64 of agents with sums of |A| (agents,), and the weights that correct for it.

    `alpha` above 0 is the preference, `beta` (1,) float32 the correction's, `start` one uniform number.
    """
    if kernels.on_gpu(magnitudes):
        from pufftui.trainer.kernels import gpu_priority

        return gpu_priority.draw(magnitudes, alpha, beta, start, count, spread=UNIFORM_SHARE)
    if magnitudes.is_cpu:
        rows, weights = torch.empty(count, dtype=torch.long), torch.empty(count)
        call = drawing(magnitudes, alpha, rows, weights)
        call.job.beta, call.job.start = float(beta), float(start)
        call()
        return rows, weights
    probabilities = segment_probabilities(magnitudes, alpha)
    rows = systematic_sample(probabilities, count, start)
    return rows, importance_weights(probabilities, rows, beta)


def drawing(magnitudes: Tensor, alpha: float, rows: Tensor, weights: Tensor) -> kernels.Prepared:
    """The call that does so on a CPU: it fills `rows` and `weights` (count,) once `beta` and `start` stand in its job."""
    return kernels.prepared(
        "puff_draw_segments",
        "puff_drawing",
        1,
        agents=len(magnitudes),
        segments=len(rows),
        alpha=float(alpha),
        beta=0.0,
        start=0.0,
        even=UNIFORM_SHARE,
        magnitudes=magnitudes,
        probabilities=torch.empty_like(magnitudes),
        indices=rows,
        weights=weights,
    )


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
