"""Learns from one rollout: minibatches of segments, recomputed advantages, gradient steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pufftui.trainer.actions import ActionDistribution
from pufftui.trainer.advantage import advantages as estimate_advantages
from pufftui.trainer.config import TrainConfig
from pufftui.trainer.fused_loss import MOST_CHOICES, fused_moments, fused_ppo_loss
from pufftui.trainer.gradient import GatheredGradient
from pufftui.trainer.loss import FIGURES, MinibatchLoss, advantage_moments
from pufftui.trainer.minibatch import Minibatch, minibatch_plan
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
        self._gathered = GatheredGradient(policy, self.distribution)
        self._noise = GradientNoise(policy)

    @property
    def unrecorded(self) -> str:
        """Why gradients and steps are not recorded as CUDA graphs, though there is a GPU."""
        return self._gathered.unrecorded or self.optimizer.unrecorded

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
        reports: list[Tensor] = []
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
        *figures, finite = torch.stack(reports).mean(dim=0).unbind()
        named = dict(zip((*FIGURES, "grad_norm"), figures, strict=True))
        return UpdateReport(named | noise, finite, 1 - trained.float().mean())

    def _shuffled(self, agents: int, device: torch.device) -> Tensor:
        return torch.randperm(agents, generator=self.generator, device=device)

    def _gradient_step(
        self,
        batch: Minibatch,
        ratios: Tensor,
        config: TrainConfig,
        learning_rate: float,
        noise: dict[str, Tensor] | None = None,
    ) -> Tensor:
        """Learns from a minibatch, in parts if it is large; updates its ratios and values.

        Returns its figures, the gradient's norm, and whether it was finite. `noise` receives the
        gradient's noise if it is given.
        """
        moments = self.ranks.add_up(self._moments(batch))
        parts = batch.parts(config, even=noise is not None)
        learn_from = (
            self._gradient_in_place if self._in_place(batch.rollout) else self._gathered.add
        )
        new: list[MinibatchLoss] = []
        for part in parts:
            new.append(learn_from(part, moments, config))
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
        figures = torch.stack([loss.figures for loss in new]).mean(dim=0)
        return torch.cat((figures, torch.stack((norm, finite.float()))))

    def _in_place(self, rollout: Rollout) -> bool:
        distribution, on_cpu = self.distribution, rollout.rewards.is_cpu
        return on_cpu and not distribution.continuous and sum(distribution.sizes) <= MOST_CHOICES

    def _moments(self, batch: Minibatch) -> Tensor:
        """Of the advantages of the whole minibatch, however many parts it is worked on in."""
        if self._in_place(batch.rollout):
            return fused_moments(batch.rollout, batch.rows, batch.advantages)
        alive = batch.rollout.alive[:, batch.rows].float()
        return advantage_moments(batch.advantages[:, batch.rows], alive)

    def _gradient_in_place(
        self, part: Minibatch, moments: Tensor, config: TrainConfig
    ) -> MinibatchLoss:
        rollout, rows = part.rollout, part.rows
        heads, _ = self.policy.sequence(
            rollout.observations[:-1], rollout.state[:, :, rows], rollout.resets[:, rows], rows
        )
        loss = fused_ppo_loss(
            heads,
            self.distribution.size_tensor,
            rollout,
            rows,
            part.weights,
            part.advantages,
            part.values,
            moments,
            config,
        )
        loss.total.backward()
        return loss


def priority_beta(config: TrainConfig, step: int) -> float:
    """The correction for prioritised sampling, growing linearly to 1 over the run."""
    progress = min(step / config.total_steps, 1.0)
    return config.priority_beta + (1 - config.priority_beta) * progress
