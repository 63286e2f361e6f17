"""Generalised advantage estimation with V-trace clips."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pufftui.trainer import kernels
from pufftui.trainer.collecting.rollout import Rollout
from pufftui.trainer.kernels.threads import threads_for
from pufftui.trainer.network.recurrence import recur
from pufftui.trainer.ppo.minibatch import Newest
from pufftui.trainer.settings.fields import TrainConfig


def newest_advantages(
    rollout: Rollout, newest: Newest, config: TrainConfig
) -> tuple[Tensor, Tensor]:
    """`advantages` of a rollout with the newest values and ratios."""
    return advantages(**_with_the_newest(rollout, newest, config))


def finding_newest(
    rollout: Rollout, newest: Newest, config: TrainConfig, found: Tensor, magnitudes: Tensor
) -> kernels.Prepared:
    """The call that does so on a CPU, and fills `found` (horizon, agents) and `magnitudes` (agents,)."""
    fields = _with_the_newest(rollout, newest, config)
    return kernels.prepared(*_call(found), **_job(found, magnitudes, **fields))


def _with_the_newest(rollout: Rollout, newest: Newest, config: TrainConfig) -> dict[str, Any]:
    return {
        "rewards": rollout.rewards,
        "values": newest.values,
        "final_values": rollout.final_values,
        "terminals": rollout.terminals,
        "truncations": rollout.truncations,
        "alive": rollout.alive,
        "ratios": newest.ratios,
        "gamma": config.gamma,
        "gae_lambda": config.gae_lambda,
        "rho_clip": config.rho_clip,
        "c_clip": config.c_clip,
    }


def advantages(
    *,
    rewards: Tensor,
    values: Tensor,
    final_values: Tensor,
    terminals: Tensor,
    truncations: Tensor,
    alive: Tensor,
    ratios: Tensor,
    gamma: float,
    gae_lambda: float,
    rho_clip: float,
    c_clip: float,
) -> tuple[Tensor, Tensor]:
    """Advantages (horizon, agents) of a rollout and, per agent, how much there is to learn from them.

    That is the sum of their absolute values over the steps in which the agent was alive.

    With rho_t = min(ratio_t, rho_clip), c_t = min(ratio_t, c_clip):

        V'_t    = final_values_t if truncated, else values_{t+1}
        delta_t = rho_t (r_t + gamma (1 - terminal_t) V'_t - V_t)
        A_t     = delta_t + gamma lambda c_t (1 - terminal_t) (1 - truncation_t) A_{t+1}

    and A = 0 after the last step. What a factor of 0 stands before is left out, also if it is not
    finite. GAE: Schulman et al., arXiv 1506.02438; the clips: Espeholt et al., arXiv 1802.01561. All
    inputs are (horizon, agents), `values` has one row more for the observation after the rollout;
    flags are uint8, the rest float32.
    """
    if kernels.missing(rewards.device):
        result = _advantages_torch(
            rewards,
            values,
            final_values,
            terminals,
            truncations,
            ratios,
            gamma,
            gae_lambda,
            rho_clip,
            c_clip,
        )
        return result, result.abs().masked_fill(alive == 0, 0).sum(dim=0)
    result, magnitudes = torch.empty_like(rewards), torch.empty_like(rewards[0])
    job = _job(
        result,
        magnitudes,
        rewards=rewards,
        values=values,
        final_values=final_values,
        terminals=terminals,
        truncations=truncations,
        alive=alive,
        ratios=ratios,
        gamma=gamma,
        gae_lambda=gae_lambda,
        rho_clip=rho_clip,
        c_clip=c_clip,
    )
    kernels.run(*_call(result), **job)
    return result, magnitudes


def _call(result: Tensor) -> tuple[str, str, int]:
    return "puff_advantages", "puff_advantage", threads_for(result.numel())


def _job(result: Tensor, magnitudes: Tensor, **given: Any) -> dict[str, Any]:
    whole = {n: v.contiguous() if isinstance(v, Tensor) else v for n, v in given.items()}
    steps, rows = result.shape
    return {"steps": steps, "rows": rows, "advantages": result, "magnitudes": magnitudes} | whole


def _advantages_torch(
    rewards: Tensor,
    values: Tensor,
    final_values: Tensor,
    terminals: Tensor,
    truncations: Tensor,
    ratios: Tensor,
    gamma: float,
    gae_lambda: float,
    rho_clip: float,
    c_clip: float,
) -> Tensor:
    ends = terminals.bool()
    after = torch.where(truncations.bool(), final_values, values[1:]).masked_fill(ends, 0)
    delta = ratios.clamp(max=rho_clip) * (rewards + gamma * after - values[:-1])
    flow = gamma * gae_lambda * ratios.clamp(max=c_clip)
    flow = flow.masked_fill(ends | truncations.bool(), 0)
    return recur(flow.flip(0), delta.flip(0)).flip(0)
