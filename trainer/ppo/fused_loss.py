"""The PPO loss as one kernel: the same figures as loss.py, for discrete actions.

It returns the gradient with the loss, where torch would run some sixty operations forwards alone. On the CPU
it reads the rollout's arrays in place; on a GPU the segments have been gathered, to be at the
same place for a CUDA graph.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pufftui.trainer import kernels
from pufftui.trainer.collecting.rollout import Rollout
from pufftui.trainer.kernels.sums import places
from pufftui.trainer.ppo.loss import FIGURES, MinibatchLoss
from pufftui.trainer.ppo.minibatch import Picked
from pufftui.trainer.settings.fields import TrainConfig

MOST_CHOICES = 256
"""More choices than this in all components together go through torch."""


def fused_moments(rollout: Rollout, rows: Tensor, advantages: Tensor) -> Tensor:
    """`advantage_moments` of the segments `rows`, without gathering them."""
    moments = torch.empty(3, dtype=torch.float64)
    kernels.run(
        "puff_ppo_moments",
        "puff_moments",
        torch.get_num_threads(),
        steps=advantages.shape[0],
        agents=advantages.shape[1],
        segments=len(rows),
        indices=rows.contiguous(),
        advantages=advantages.contiguous(),
        alive=rollout.alive.contiguous(),
        moments=moments,
    )
    return moments


def fused_ppo_loss(
    heads: Tensor,
    sizes: Tensor,
    rollout: Rollout,
    rows: Tensor,
    weights: Tensor,
    advantages: Tensor,
    values: Tensor,
    moments: Tensor,
    config: TrainConfig,
) -> MinibatchLoss:
    """Loss of the segments `rows` (segments,) int64 with policy weights (segments,).

    `heads` (horizon, segments, choices + 1) float32 are logits, then the value; `sizes`
    (components,) int32 choices; `advantages` (horizon, agents) raw; `values` the newest
    (horizon + 1, agents); `moments` those of the whole minibatch.
    """
    steps, segments, width = heads.shape
    logits = heads.detach().contiguous()
    gradients = torch.empty_like(logits)
    ratios, new_values = torch.empty(steps, segments), torch.empty(steps, segments)
    sums = torch.empty(len(places()), dtype=torch.float64)
    kernels.run(
        "puff_ppo_loss",
        "puff_ppo",
        torch.get_num_threads(),
        steps=steps,
        agents=advantages.shape[1],
        segments=segments,
        components=len(sizes),
        width=width,
        sizes=sizes,
        indices=rows.contiguous(),
        weights=weights.contiguous(),
        heads=logits,
        actions=rollout.actions.contiguous(),
        old_log_probabilities=rollout.log_probabilities.contiguous(),
        old_values=values.contiguous(),
        advantages=advantages.contiguous(),
        alive=rollout.alive.contiguous(),
        clip=config.clip,
        value_clip=config.value_clip,
        value_coefficient=config.value_coefficient,
        entropy_coefficient=config.entropy_coefficient,
        ratios=ratios,
        values=new_values,
        head_gradients=gradients,
        sums=sums,
        moments=moments,
    )
    total = _total(sums, moments, config.value_coefficient, config.entropy_coefficient)
    return MinibatchLoss(_joined(total, heads, gradients), ratios, new_values, _figures(sums))


def picked_ppo_loss(
    heads: Tensor,
    sizes: Tensor,
    largest: int,
    picked: Picked,
    moments: Tensor,
    coefficients: Tensor,
) -> tuple[MinibatchLoss, Tensor]:
    """`fused_ppo_loss` on a GPU, of gathered segments, and the gradient of the total with regard to the heads.

    `coefficients` are those of loss.py; `sizes` are there, too; `largest` of them is known here.
    """
    from pufftui.trainer.kernels import gpu_loss, gpu_sums

    logits = heads.detach().contiguous()
    gradients = torch.empty_like(logits)
    ratios, values = torch.empty_like(picked.values), torch.empty_like(picked.values)
    sums = gpu_loss.ppo_loss(
        heads=logits,
        sizes=sizes,
        largest=largest,
        actions=picked.actions,
        old_log_probabilities=picked.log_probabilities,
        old_values=picked.values,
        advantages=picked.advantages,
        alive=picked.alive,
        weights=picked.weights,
        moments=moments,
        coefficients=coefficients,
        ratios=ratios,
        values=values,
        head_gradients=gradients,
    )
    total, figures = gpu_sums.total_and_figures(sums, moments, coefficients)
    return MinibatchLoss(total, ratios, values, figures), gradients


def _total(
    sums: Tensor, moments: Tensor, value_coefficient: float, entropy_coefficient: float
) -> Tensor:
    at, means = places(), sums / moments[0].clamp(min=1)
    total = means[at["policy_loss"]] + value_coefficient * means[at["value_loss"]]
    return (total - entropy_coefficient * means[at["entropy"]]).float()


def _figures(sums: Tensor) -> Tensor:
    at = places()
    means = sums / sums[at["alive"]].clamp(min=1)
    named = dict(zip(at, means.unbind(), strict=True))
    spread = named["target_squared"] - named["target"] ** 2
    unexplained = named["error_squared"] - named["error"] ** 2
    named["explained_variance"] = torch.where(spread > 0, 1 - unexplained / spread, torch.nan)
    return torch.stack([named[name] for name in FIGURES]).float()


def _joined(total: Tensor, heads: Tensor, gradients: Tensor) -> Tensor:
    """The total, whose gradient with regard to the heads is known."""
    result: Tensor = _Joined.apply(total, heads, gradients)  # type: ignore[no-untyped-call]
    return result


class _Joined(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, total: Tensor, heads: Tensor, gradients: Tensor) -> Tensor:
        del heads
        ctx.save_for_backward(gradients)
        return total.clone()

    @staticmethod
    def backward(ctx: Any, *incoming: Tensor) -> tuple[Tensor | None, ...]:
        (gradients,) = ctx.saved_tensors
        return None, gradients * incoming[0], None
