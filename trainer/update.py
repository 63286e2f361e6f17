"""Learns from one rollout: minibatches of segments, recomputed advantages, gradient steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pufftui.trainer.actions import ActionDistribution
from pufftui.trainer.advantage import advantages as estimate_advantages
from pufftui.trainer.config import TrainConfig
from pufftui.trainer.fused_loss import MOST_CHOICES, fused_moments, fused_ppo_loss
from pufftui.trainer.loss import MinibatchLoss, advantage_moments, normalise, ppo_loss
from pufftui.trainer.optimizer import PolicyOptimizer
from pufftui.trainer.policy import Policy
from pufftui.trainer.priority import importance_weights, segment_probabilities, systematic_sample
from pufftui.trainer.ranks import Ranks
from pufftui.trainer.rollout import Rollout
from pufftui.trainer.vitals import GradientNoise


@dataclass(frozen=True, slots=True, eq=False)
class UpdateReport:
    """Figures of one update, still on the device: means over its minibatches, and their noise.

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


@dataclass(frozen=True, slots=True, eq=False)
class Minibatch:
    """Segments of a rollout to learn from: `rows` (segments,) names their agents.

    `weights` (segments,) correct the policy term for uneven sampling; `advantages`
    (horizon, agents) and `values` (horizon + 1, agents) are the newest.
    """

    rollout: Rollout
    rows: Tensor
    weights: Tensor
    advantages: Tensor
    values: Tensor

    def parts(self, config: TrainConfig, *, even: bool = False) -> list[Minibatch]:
        """The minibatch cut so that none has more agent steps than the config allows.

        If `even`, into two halves of as many parts each, unless it is a single segment.
        """
        most = max(1, config.max_forward_size // config.horizon)
        count = -(-len(self.rows) // most)
        if even:
            count += count % 2
        if count == 1 or len(self.rows) < count:
            return [self]
        pairs = zip(self.rows.chunk(count), self.weights.chunk(count), strict=True)
        return [replace(self, rows=rows, weights=weights) for rows, weights in pairs]


class Learner:
    """Turns rollouts into a better policy."""

    def __init__(
        self,
        policy: Policy,
        optimizer: PolicyOptimizer,
        generator: torch.Generator,
        ranks: Ranks,
    ) -> None:
        self.ranks = ranks
        self.policy = policy
        self.optimizer = optimizer
        self.generator = generator
        self.distribution = ActionDistribution(policy.descriptor)
        self._noise = GradientNoise(policy)

    def update(
        self,
        rollout: Rollout,
        config: TrainConfig,
        learning_rate: float,
        beta: float,
        interrupted: Callable[[], bool],
        *,
        probe: bool = False,
    ) -> UpdateReport | None:
        """All gradient steps on one rollout; None if `interrupted` said so on the way.

        With `probe` the first one also measures the gradient's noise.
        """
        agents = rollout.rewards.shape[1]
        segments, minibatches = minibatch_plan(config, agents)
        ratios = torch.ones_like(rollout.rewards)
        values = rollout.values.clone()
        trained = torch.zeros(agents, dtype=torch.bool, device=ratios.device)
        reports: list[dict[str, Tensor]] = []
        order = torch.empty(0, dtype=torch.long, device=ratios.device)
        noise: dict[str, Tensor] = {}
        for number in range(minibatches):
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
                    order = torch.cat((order, self._shuffled(agents, order.device)))
                rows, order = order[:segments], order[segments:]
                weights = torch.ones(segments, device=ratios.device)
            batch = Minibatch(rollout, rows, weights, advantages, values)
            measured = noise if probe and number == 0 else None
            reports.append(self._gradient_step(batch, ratios, config, learning_rate, measured))
            trained[rows] = True
        means = {
            name: torch.stack([report[name] for report in reports]).mean() for name in reports[0]
        }
        finite = means.pop("finite")
        return UpdateReport(means | noise, finite, 1 - trained.float().mean())

    def _shuffled(self, agents: int, device: torch.device) -> Tensor:
        return torch.randperm(agents, generator=self.generator, device=device)

    def _gradient_step(
        self,
        batch: Minibatch,
        ratios: Tensor,
        config: TrainConfig,
        learning_rate: float,
        noise: dict[str, Tensor] | None = None,
    ) -> dict[str, Tensor]:
        """Learns from a minibatch, in parts if it is large; updates its ratios and values.

        `noise` receives the gradient's noise if it is given.
        """
        moments = self.ranks.add_up(self._moments(batch))
        parts = batch.parts(config, even=noise is not None)
        new: list[MinibatchLoss] = []
        for part in parts:
            heads, _ = self.policy.sequence(
                part.rollout.observations[:-1],
                part.rollout.state[:, :, part.rows],
                part.rollout.resets[:, part.rows],
                part.rows,
            )
            loss_of = self._fused_loss if self._fused(part.rollout) else self._plain_loss
            new.append(loss_of(heads, part, moments, config))
            new[-1].total.backward()
            if noise is not None and 2 * len(new) == len(parts):
                self._noise.half()
        if noise is not None and len(parts) > 1:
            size = len(batch.rows) * config.horizon * self.ranks.size
            noise.update(self._noise.whole(size, self.ranks.size))
        self.ranks.add_up_gradients(self.policy.parameters())
        norm, finite = self.optimizer.step(learning_rate, config.max_gradient_norm)
        for part, loss in zip(parts, new, strict=True):
            ratios[:, part.rows] = loss.ratios
            batch.values[:-1, part.rows] = loss.values
        figures = {
            name: torch.stack([loss.figures[name] for loss in new]).mean()
            for name in new[0].figures
        }
        return {**figures, "grad_norm": norm.detach(), "finite": finite.float()}

    def _fused(self, rollout: Rollout) -> bool:
        distribution, on_cpu = self.distribution, rollout.rewards.is_cpu
        return on_cpu and not distribution.continuous and sum(distribution.sizes) <= MOST_CHOICES

    def _moments(self, batch: Minibatch) -> Tensor:
        if self._fused(batch.rollout):
            return fused_moments(batch.rollout, batch.rows, batch.advantages)
        alive = batch.rollout.alive[:, batch.rows].float()
        return advantage_moments(batch.advantages[:, batch.rows], alive)

    def _fused_loss(
        self, heads: Tensor, batch: Minibatch, moments: Tensor, config: TrainConfig
    ) -> MinibatchLoss:
        return fused_ppo_loss(
            heads,
            self.distribution.size_tensor,
            batch.rollout,
            batch.rows,
            batch.weights,
            batch.advantages,
            batch.values,
            moments,
            config,
        )

    def _plain_loss(
        self, heads: Tensor, batch: Minibatch, moments: Tensor, config: TrainConfig
    ) -> MinibatchLoss:
        rollout, rows = batch.rollout, batch.rows
        chosen, old_values = batch.advantages[:, rows], batch.values[:-1, rows]
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
            advantages=normalise(chosen, moments) * batch.weights,
            alive=rollout.alive[:, rows].float(),
            count=moments[0].float(),
            config=config,
        )


def priority_beta(config: TrainConfig, step: int) -> float:
    """The correction for prioritised sampling, growing linearly to 1 over the run."""
    progress = min(step / config.total_steps, 1.0)
    return config.priority_beta + (1 - config.priority_beta) * progress
