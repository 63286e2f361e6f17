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
from pufftui.trainer.config import TrainConfig
from pufftui.trainer.loss import MinibatchLoss
from pufftui.trainer.minibatch import Picked
from pufftui.trainer.rollout import Rollout

SUMS = 12
MOST_CHOICES = 256
"""More choices than this in all components together go through torch."""


def fused_moments(rollout: Rollout, rows: Tensor, advantages: Tensor) -> Tensor:
    """`advantage_moments` of the segments `rows`, without gathering them."""
    moments = torch.empty(3, dtype=torch.float64)
    kernels.run(
        "puff_ppo_moments",
        "puff_ppo",
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
    total, ratios, new_values, sums = _FusedLoss.apply(  # type: ignore[no-untyped-call]
        heads, sizes, rollout, rows, weights, advantages, values, moments, config
    )
    return MinibatchLoss(total, ratios, new_values, _figures(sums))


def picked_ppo_loss(
    heads: Tensor,
    sizes: Tensor,
    largest: int,
    picked: Picked,
    moments: Tensor,
    coefficients: Tensor,
) -> MinibatchLoss:
    """`fused_ppo_loss` on a GPU, of gathered segments, with `coefficients` as in loss.py.

    `sizes` are there, too; `largest` of them is known here.
    """
    total, ratios, values, sums = _PickedLoss.apply(  # type: ignore[no-untyped-call]
        heads, sizes, largest, picked, moments, coefficients
    )
    return MinibatchLoss(total, ratios, values, _figures(sums))


def _figures(sums: Tensor) -> Tensor:
    means = sums / sums[0].clamp(min=1)
    spread = means[9] - means[8] ** 2
    unexplained = means[11] - means[10] ** 2
    explained = torch.where(spread > 0, 1 - unexplained / spread, torch.nan)
    return torch.cat((means[1:8], explained.unsqueeze(0))).float()


class _FusedLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        heads: Tensor,
        sizes: Tensor,
        rollout: Rollout,
        rows: Tensor,
        weights: Tensor,
        advantages: Tensor,
        values: Tensor,
        moments: Tensor,
        config: TrainConfig,
    ) -> tuple[Tensor, ...]:
        heads = heads.contiguous()
        gradients = torch.empty_like(heads)
        ratios = torch.empty(heads.shape[:2])
        new_values = torch.empty(heads.shape[:2])
        sums = torch.empty(SUMS, dtype=torch.float64)
        kernels.run(
            "puff_ppo_loss",
            "puff_ppo",
            torch.get_num_threads(),
            steps=heads.shape[0],
            agents=advantages.shape[1],
            segments=heads.shape[1],
            components=len(sizes),
            width=heads.shape[2],
            sizes=sizes,
            indices=rows.contiguous(),
            weights=weights.contiguous(),
            heads=heads,
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
        means = sums / moments[0].clamp(min=1)
        total = means[1] + config.value_coefficient * means[2]
        total = total - config.entropy_coefficient * means[3]
        ctx.save_for_backward(gradients)
        ctx.mark_non_differentiable(ratios, new_values, sums)
        return total.float(), ratios, new_values, sums

    @staticmethod
    def backward(ctx: Any, *incoming: Tensor) -> tuple[Tensor | None, ...]:
        (gradients,) = ctx.saved_tensors
        return gradients * incoming[0], None, None, None, None, None, None, None, None


class _PickedLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        heads: Tensor,
        sizes: Tensor,
        largest: int,
        picked: Picked,
        moments: Tensor,
        coefficients: Tensor,
    ) -> tuple[Tensor, ...]:
        from pufftui.trainer.kernels import gpu_loss

        heads = heads.contiguous()
        gradients = torch.empty_like(heads)
        ratios, values = torch.empty_like(picked.values), torch.empty_like(picked.values)
        sums = gpu_loss.ppo_loss(
            heads=heads,
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
        means = sums[1:4] / moments[0].clamp(min=1)
        weights = torch.stack((torch.ones_like(moments[0]), coefficients[2], -coefficients[3]))
        ctx.save_for_backward(gradients)
        ctx.mark_non_differentiable(ratios, values, sums)
        return (means * weights).sum().float(), ratios, values, sums

    @staticmethod
    def backward(ctx: Any, *incoming: Tensor) -> tuple[Tensor | None, ...]:
        (gradients,) = ctx.saved_tensors
        return gradients * incoming[0], None, None, None, None, None
