"""Learns from one rollout: minibatches of segments, recomputed advantages, gradient steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pufftui.trainer.actions import ActionDistribution
from pufftui.trainer.advantage import advantages as estimate_advantages
from pufftui.trainer.config import TrainConfig
from pufftui.trainer.fused_loss import MOST_CHOICES, fused_ppo_loss
from pufftui.trainer.loss import MinibatchLoss, ppo_loss
from pufftui.trainer.optimizer import PolicyOptimizer
from pufftui.trainer.policy import Policy
from pufftui.trainer.priority import importance_weights, segment_probabilities, systematic_sample
from pufftui.trainer.rollout import Rollout


@dataclass(frozen=True, slots=True, eq=False)
class UpdateReport:
    """Figures of one update, still on the device: means over its minibatches.

    `finite` is the share of minibatches whose gradient was finite; `untrained` the share of
    segments that no minibatch took.
    """

    figures: dict[str, Tensor]
    finite: Tensor
    untrained: Tensor


def minibatch_plan(config: TrainConfig, agents: int) -> tuple[int, int]:
    """(segments in a minibatch, minibatches in an update) for a rollout of `agents` segments."""
    segments = min(max(1, round(config.minibatch_size / config.horizon)), agents)
    return segments, max(1, round(config.replay_ratio * agents / segments))


class Learner:
    """Turns rollouts into a better policy."""

    def __init__(
        self, policy: Policy, optimizer: PolicyOptimizer, generator: torch.Generator
    ) -> None:
        self.policy = policy
        self.optimizer = optimizer
        self.generator = generator
        self.distribution = ActionDistribution(policy.descriptor)

    def update(
        self,
        rollout: Rollout,
        config: TrainConfig,
        learning_rate: float,
        beta: float,
        interrupted: Callable[[], bool],
    ) -> UpdateReport | None:
        """All gradient steps on one rollout; None if `interrupted` said so on the way."""
        agents = rollout.rewards.shape[1]
        segments, minibatches = minibatch_plan(config, agents)
        ratios = torch.ones_like(rollout.rewards)
        values = rollout.values.clone()
        trained = torch.zeros(agents, dtype=torch.bool, device=ratios.device)
        reports: list[dict[str, Tensor]] = []
        order = torch.empty(0, dtype=torch.long, device=ratios.device)
        for _ in range(minibatches):
            if interrupted():
                return None
            advantages, magnitudes = estimate_advantages(
                rewards=rollout.rewards,
                values=values,
                final_values=rollout.final_values,
                terminals=rollout.terminals,
                truncations=rollout.truncations,
                ratios=ratios,
                gamma=config.gamma,
                gae_lambda=config.gae_lambda,
                rho_clip=config.rho_clip,
                c_clip=config.c_clip,
            )
            if config.priority_alpha > 0:
                probabilities = segment_probabilities(magnitudes, config.priority_alpha)
                rows = systematic_sample(probabilities, segments, self.generator)
                weights = importance_weights(probabilities, rows, beta)
            else:
                if order.numel() < segments:
                    order = torch.cat((order, self._shuffled(agents)))
                rows, order = order[:segments], order[segments:]
                weights = torch.ones(segments, device=ratios.device)
            figures, loss = self._gradient_step(
                rollout, rows, weights, advantages, values, config, learning_rate
            )
            ratios[:, rows] = loss.ratios
            values[:-1, rows] = loss.values
            trained[rows] = True
            reports.append(figures)
        means = {
            name: torch.stack([report[name] for report in reports]).mean() for name in reports[0]
        }
        return UpdateReport(means, means.pop("finite"), 1 - trained.float().mean())

    def _shuffled(self, agents: int) -> Tensor:
        device = self.generator.device
        return torch.randperm(agents, generator=self.generator, device=device)

    def _gradient_step(
        self,
        rollout: Rollout,
        rows: Tensor,
        weights: Tensor,
        advantages: Tensor,
        values: Tensor,
        config: TrainConfig,
        learning_rate: float,
    ) -> tuple[dict[str, Tensor], MinibatchLoss]:
        heads, _ = self.policy.sequence(
            rollout.observations[:-1], rollout.state[:, :, rows], rollout.resets[:, rows], rows
        )
        loss_of = self._fused_loss if self._fused else self._plain_loss
        loss = loss_of(heads, rollout, rows, weights, advantages, values, config)
        loss.total.backward()
        norm, finite = self.optimizer.step(learning_rate, config.max_gradient_norm)
        return {**loss.figures, "grad_norm": norm.detach(), "finite": finite.float()}, loss

    @property
    def _fused(self) -> bool:
        distribution = self.distribution
        on_cpu = self.generator.device.type == "cpu"
        return on_cpu and not distribution.continuous and sum(distribution.sizes) <= MOST_CHOICES

    def _fused_loss(
        self,
        heads: Tensor,
        rollout: Rollout,
        rows: Tensor,
        weights: Tensor,
        advantages: Tensor,
        values: Tensor,
        config: TrainConfig,
    ) -> MinibatchLoss:
        sizes = self.distribution.size_tensor
        return fused_ppo_loss(heads, sizes, rollout, rows, weights, advantages, values, config)

    def _plain_loss(
        self,
        heads: Tensor,
        rollout: Rollout,
        rows: Tensor,
        weights: Tensor,
        advantages: Tensor,
        values: Tensor,
        config: TrainConfig,
    ) -> MinibatchLoss:
        alive = rollout.alive[:, rows].float()
        chosen, old_values = advantages[:, rows], values[:-1, rows]
        log_probabilities, entropies = self.distribution.evaluate(
            heads[..., :-1], self.policy.log_std, rollout.actions[:, rows]
        )
        return ppo_loss(
            log_probabilities=log_probabilities,
            old_log_probabilities=rollout.log_probabilities[:, rows],
            entropies=entropies,
            values=heads[..., -1],
            old_values=old_values,
            targets=chosen + old_values,
            advantages=normalise(chosen, alive) * weights,
            alive=alive,
            config=config,
        )


def normalise(advantages: Tensor, alive: Tensor) -> Tensor:
    """Advantages with mean 0 and standard deviation 1 over the agents that are alive."""
    count = alive.sum().clamp(min=1)
    centred = advantages - (advantages * alive).sum() / count
    deviation = ((centred.square() * alive).sum() / count).sqrt()
    return centred / (deviation + 1e-8)


def priority_beta(config: TrainConfig, step: int) -> float:
    """The correction for prioritised sampling, growing linearly to 1 over the run."""
    progress = min(step / config.total_steps, 1.0)
    return config.priority_beta + (1 - config.priority_beta) * progress
