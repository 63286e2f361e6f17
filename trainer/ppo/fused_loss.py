"""The PPO loss as one kernel: the same figures as loss.py, for discrete actions; within another kernel for continuous ones, too.

It returns the gradient with the loss, where torch would run some sixty operations forwards alone. On the CPU
it reads the rollout's arrays in place; on a GPU the segments have been gathered, to be at the
same place for a CUDA graph.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pufftui.trainer import kernels
from pufftui.trainer.collecting.rollout import Rollout
from pufftui.trainer.kernels.sums import places
from pufftui.trainer.kernels.threads import threads_for
from pufftui.trainer.ppo.loss import FIGURES, MinibatchLoss
from pufftui.trainer.ppo.minibatch import Minibatch, Picked
from pufftui.trainer.settings.fields import TrainConfig

MOST_CHOICES = 256
"""More choices than this in all components together go through torch."""


def fused_moments(rollout: Rollout, rows: Tensor, advantages: Tensor) -> Tensor:
    """`advantage_moments` of the segments `rows`, without gathering them."""
    moments = torch.empty(3, dtype=torch.float64)
    finding_moments(rollout, rows.contiguous(), advantages.contiguous(), moments)()
    return moments


def finding_moments(
    rollout: Rollout, rows: Tensor, advantages: Tensor, moments: Tensor
) -> kernels.Prepared:
    """The call that fills them in."""
    return kernels.prepared(
        "puff_ppo_moments",
        "puff_moments",
        threads_for(len(rows) * len(advantages)),
        steps=advantages.shape[0],
        agents=advantages.shape[1],
        segments=len(rows),
        indices=rows,
        advantages=advantages,
        alive=rollout.alive.contiguous(),
        moments=moments,
    )


def fused_ppo_loss(
    heads: Tensor, sizes: Tensor, batch: Minibatch, moments: Tensor, config: TrainConfig
) -> MinibatchLoss:
    """Loss of the segments of a minibatch, or of a part of one, where they lie in the rollout.

    `heads` (horizon, segments, choices + 1) float32 are logits, then the value; `sizes`
    (components,) int32 choices; `moments` those of the whole minibatch.
    """
    steps, segments, width = heads.shape
    logits = heads.detach().contiguous()
    gradients = torch.empty_like(logits)
    ratios, new_values = torch.empty(steps, segments), torch.empty(steps, segments)
    sums = torch.empty(len(places()), dtype=torch.float64)
    ppo_call(
        *(batch, moments, config),
        width=width,
        sizes=sizes,
        heads=logits,
        head_gradients=gradients,
        ratios=ratios,
        new_values=new_values,
        sums=sums,
    )()
    total = total_of(sums, moments, config.value_coefficient, config.entropy_coefficient)
    return MinibatchLoss(_joined(total, heads, gradients), ratios, new_values, figures_of(sums))


def ppo_call(
    batch: Minibatch,
    moments: Tensor,
    config: TrainConfig,
    *,
    width: int,
    sizes: Tensor,
    log_std: Tensor | None = None,
    heads: Tensor,
    head_gradients: Tensor,
    ratios: Tensor,
    new_values: Tensor,
    sums: Tensor,
) -> kernels.Prepared:
    """The call that fills gradients of the heads, ratios, new values and sums; arguments as of `fused_ppo_loss`.

    `width` is that of the heads; `sums` (PUFF_SUMS,) float64. With `log_std` (components,) actions are continuous: that
    call is only for another kernel to make.
    """
    rollout, advantages = batch.rollout, batch.advantages
    actions = rollout.actions.contiguous()
    return kernels.prepared(
        "puff_ppo_loss",
        "puff_ppo",
        torch.get_num_threads(),
        steps=len(advantages),
        agents=advantages.shape[1],
        segments=len(batch.rows),
        components=len(sizes),
        width=width,
        sizes=sizes,
        indices=batch.rows.contiguous(),
        weights=batch.weights.contiguous(),
        heads=heads,
        actions=actions if log_std is None else None,
        controls=None if log_std is None else actions,
        log_std=None if log_std is None else log_std.detach(),
        log_std_gradients=None,
        old_log_probabilities=rollout.log_probabilities.contiguous(),
        old_values=batch.values.contiguous(),
        advantages=advantages.contiguous(),
        alive=rollout.alive.contiguous(),
        clip=config.clip,
        value_clip=config.value_clip,
        value_coefficient=config.value_coefficient,
        entropy_coefficient=config.entropy_coefficient,
        ratios=ratios,
        values=new_values,
        head_gradients=head_gradients,
        sums=sums,
        moments=moments,
    )


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


def total_of(
    sums: Tensor, moments: Tensor, value_coefficient: float, entropy_coefficient: float
) -> Tensor:
    """The loss () float32 that the kernel's sums (PUFF_SUMS,) come to, of a minibatch with these moments."""
    named = dict(zip(places(), sums.tolist(), strict=True))
    total = named["policy_loss"] + value_coefficient * named["value_loss"]
    total -= entropy_coefficient * named["entropy"]
    return torch.tensor(total / max(float(moments[0]), 1.0))


def figures_of(sums: Tensor) -> Tensor:
    """`FIGURES` (figures,) float32, of the same sums."""
    return torch.from_numpy(figures_of_each(sums.numpy()[None])[0])


def figures_of_each(sums: NDArray[np.float64]) -> NDArray[np.float32]:
    """Those of several (minibatches, PUFF_SUMS), (minibatches, figures); in numpy, since twenty operations of torch take longer."""
    with np.errstate(all="ignore"):  # What is not finite is reported elsewhere.
        named = dict(zip(places(), sums.T, strict=True))
        count = np.maximum(named["alive"], 1.0)
        means = {name: of_each / count for name, of_each in named.items()}
        spread = means["target_squared"] - means["target"] ** 2
        unexplained = means["error_squared"] - means["error"] ** 2
        known = spread > 0
        explained = 1 - unexplained / np.where(known, spread, 1.0)
        means["explained_variance"] = np.where(known, explained, math.nan)
        return np.stack([means[name] for name in FIGURES], axis=1).astype(np.float32)


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
