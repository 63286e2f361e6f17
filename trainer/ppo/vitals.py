"""Signs of health beyond the losses: of the rewards, the gradient and the network's units."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pufftui.trainer.collecting.rollout import Rollout
from pufftui.trainer.network.actions import ActionDistribution
from pufftui.trainer.network.policy import Policy

UNITS_EVERY, UNITS_STEPS = 16, 1_500_000
"""Epochs from one look at the units to the next, and agent steps at least: it costs some milliseconds."""

NOISE_EVERY = 16
"""Epochs from one look at the gradient's noise to the next."""

SAMPLED_AGENTS = 32
"""Agents whose steps are looked at."""

WIDEST = 1024
"""Layers with more units are not looked at: the time for it grows with the cube."""

DORMANT = 0.025
"""A unit is dead if it varies by no more than this share of what is usual in its layer."""

VARIANCE_KEPT = 0.99
"""Share of the variance that counts for the rank."""


def update_figures(policy: Policy, rollout: Rollout) -> dict[str, Tensor]:
    """Signs of health after an update, and `steps`, how many agent steps the rollout has.

    They are made on the device, which they never ask for a number.
    """
    parameters = [parameter.detach() for parameter in policy.parameters()]
    figures = {"weight_norm": torch.nn.utils.get_total_norm(parameters)}
    figures |= reward_figures(rollout)
    figures["steps"] = rollout.alive.sum(dtype=torch.float64)
    return figures


def reward_figures(rollout: Rollout) -> dict[str, Tensor]:
    """How large the scaled rewards are that are not zero, how many they are, and how many are clipped.

    `reward_size` is the mean size, 0 if all are zero; `reward_nonzero` and `clamped_rewards` are
    shares of all steps.
    """
    rewards = rollout.unclipped
    count, steps = torch.count_nonzero(rewards), rewards.numel()
    return {
        "reward_size": torch.linalg.vector_norm(rewards, 1) / count.clamp(min=1),
        "reward_nonzero": count / steps,
        "clamped_rewards": ((rewards - rollout.rewards).abs() > 1e-6).sum() / steps,
    }


class GradientNoise:
    """Compares the gradients of two halves of one minibatch of b agent steps.

    With g1 and g2 the mean gradients of the halves, both of the same weights, and s the first one's share
    of the steps, there are unbiased estimates of what McCandlish et al. (arXiv 1812.06162) call

        signal |G|^2 = g1 . g2          noise tr(S) = b s (1 - s) |g1 - g2|^2

    tr(S) / |G|^2, both averaged over many updates first, is the batch size in agent steps beyond
    which larger ones help little.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._first: list[Tensor] = []
        self._share: Tensor | None = None

    def half(self, share: Tensor) -> None:
        """The parameters hold the gradient of the first half, as its part of the whole sum.

        `share` () is the half's, of all agent steps that count.
        """
        self._share = share
        self._first = [gradient.clone() for gradient in self._gradients()]

    def whole(self, minibatch: int, ranks: int) -> dict[str, Tensor]:
        """They hold that of both halves: `gradient_signal` and `gradient_noise`."""
        assert self._share is not None
        found = noise_of(self._first, self._gradients(), self._share, minibatch, ranks)
        self._first, self._share = [], None
        return found

    def _gradients(self) -> list[Tensor]:
        return [p.grad for p in self._policy.parameters() if p.grad is not None]


def noise_of(
    half: Sequence[Tensor], whole: Sequence[Tensor], share: Tensor, minibatch: int, ranks: int
) -> dict[str, Tensor]:
    """The figures of `GradientNoise`, of a minibatch of so many agent steps over all ranks.

    `half` are the parameters' gradients by its first half, as part of the `whole` sum; `share` () is that half's part of the
    agent steps that count.
    """
    # A half in which nobody lives has no gradient, and so no part in the noise.
    other = 1 - share
    first = torch.cat([g.flatten() for g in half]) * ranks
    second = torch.cat([g.flatten() for g in whole]) * ranks - first
    first, second = first / share.clamp(min=1e-6), second / other.clamp(min=1e-6)
    apart = (first - second).square().sum()
    return {
        "gradient_signal": first @ second,
        "gradient_noise": minibatch * share * other * apart,
    }


@torch.inference_mode()
def unit_figures(policy: Policy, rollout: Rollout) -> dict[str, Tensor]:
    """What the network's units do on a sample of a rollout.

    `dead_units` is the share of units that stay the same whatever is seen (much like the dormant ones
    of Sokar et al., arXiv 2302.12902); `feature_rank` how many directions hold 99 % of the variance of what the last
    layer reads, as a share of its width (as in Moalla et al., arXiv 2405.00662);
    `observation_change` the share of observed bytes that are not the same everywhere;
    `actions_used` the share of the actions that were taken at all.
    """
    agents = rollout.rewards.shape[1]
    rows = torch.arange(0, agents, max(1, agents // SAMPLED_AGENTS), device=rollout.rewards.device)
    rows = rows[:SAMPLED_AGENTS]
    seen = rollout.seen(rows)
    figures = {"observation_change": (seen != seen[0, 0]).any(dim=(0, 1)).float().mean()}
    distribution = ActionDistribution(policy.descriptor)
    if not distribution.continuous:
        figures["actions_used"] = _used(rollout.actions[:, rows].flatten(0, 1), distribution.sizes)
    if policy.hidden <= WIDEST:
        state, resets = rollout.state[:, :, rows], rollout.resets[:, rows]
        encoded, hidden = policy.activations(seen, state, resets)
        quiet = torch.cat([_dormant(layer) for layer in (encoded, hidden)])
        figures["dead_units"] = quiet.float().mean()
        figures["feature_rank"] = _rank(hidden)
    return figures


def _used(actions: Tensor, sizes: list[int]) -> Tensor:
    taken = [
        torch.zeros(size, device=actions.device).scatter_(0, column.long(), 1.0)
        for size, column in zip(sizes, actions.unbind(1), strict=True)
    ]
    return torch.cat(taken).mean()


def _dormant(layer: Tensor) -> Tensor:
    # A unit's own first value taken off keeps the difference of squares exact, and is quicker than std.
    units = layer.flatten(0, 1).float()
    units = units - units[0]
    liveliness = (units.square().mean(dim=0) - units.mean(dim=0).square()).clamp(min=0).sqrt()
    return liveliness <= DORMANT * liveliness.mean()


def _rank(hidden: Tensor) -> Tensor:
    """On the CPU, where it is quicker for so small a matrix. Whatever the units hold, it has an answer."""
    units = torch.nan_to_num(hidden.flatten(0, 1).cpu().float(), posinf=0.0, neginf=0.0)
    units = units / units.abs().max().clamp(min=1e-30)
    units = units - units.mean(dim=0)
    variances = torch.linalg.eigvalsh((units.T @ units).double()).flip(0).clamp(min=0)
    total = variances.sum()
    held = variances.cumsum(0) < VARIANCE_KEPT * total
    rank = torch.where(total > 0, held.sum() + 1, 0)
    return (rank / units.shape[1]).float().to(hidden.device)
