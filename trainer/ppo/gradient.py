"""The gradient of the PPO loss of one minibatch, for the policy's parameters to hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from pufftui.trainer.collecting.rollout import Rollout
from pufftui.trainer.network.actions import ActionDistribution
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.ppo import cpu_gradient
from pufftui.trainer.ppo.fused_loss import MOST_CHOICES, fused_moments, fused_ppo_loss
from pufftui.trainer.ppo.gathered import GatheredGradient, add_gradients
from pufftui.trainer.ppo.in_parts import LARGE_PART, PART, GradientInParts, Loss
from pufftui.trainer.ppo.loss import MinibatchLoss
from pufftui.trainer.ppo.minibatch import Minibatch, Newest
from pufftui.trainer.ppo.ranks import Ranks
from pufftui.trainer.ppo.vitals import GradientNoise
from pufftui.trainer.settings.fields import TrainConfig


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """The parts that a minibatch was worked on in, with the loss of each.

    `noise` are the figures of the gradient's noise, if it was measured.
    """

    parts: list[tuple[Minibatch, MinibatchLoss]]
    noise: dict[str, Tensor]

    def figures(self) -> Tensor:
        """Those of `FIGURES`, means over the parts by how many agent steps count in each, float32."""
        if len(self.parts) == 1:
            return self.parts[0][1].figures
        figures = torch.stack([loss.figures for _, loss in self.parts])
        shares = torch.stack([part.living for part, _ in self.parts]).clamp(min=1e-6)
        return (shares / shares.sum()) @ figures

    def put_back(self, newest: Newest) -> None:
        """Keeps the ratios and values that the policy had for these segments."""
        for part, loss in self.parts:
            part.put_back(loss, newest.ratios, newest.trained)


class MinibatchGradient:
    """Works on minibatches whichever way is the fastest here: on the CPU in one call or in parts, else gathered."""

    def __init__(self, policy: Policy, ranks: Ranks) -> None:
        self.policy = policy
        self.ranks = ranks
        self.distribution = ActionDistribution(policy.descriptor)
        self.gathered = GatheredGradient(policy, self.distribution)
        self._parameters = list(policy.parameters())
        self._in_parts = GradientInParts(self._parameters)
        known = cpu_gradient.fits(policy, self.distribution)
        self.in_one = cpu_gradient.CpuGradient(policy, self.distribution) if known else None
        self._noise = GradientNoise(policy)

    def add(
        self,
        batch: Minibatch,
        config: TrainConfig,
        coefficients: Tensor,
        *,
        probe: bool = False,
        recording: bool = False,
    ) -> Learned:
        """The gradient of a minibatch, summed over the ranks and over parts if it is large.

        `coefficients` (4,) are the loss's, on the device. With `probe` the gradient's noise is measured as
        well. While `recording`, what is around it is being recorded.
        """
        moments = self.ranks.add_up(self._moments(batch))
        here = self._on_cpu(batch.rollout)
        if here and self.in_one is not None:
            return self._in_one_call(batch, self.in_one, moments, config, probe=probe)
        if here:
            most = PART if self.policy.lookup is None else LARGE_PART
            parts = batch.parts(config, most=most, even=True)
            loss = self._loss(moments, config, coefficients)
            work = self._add_each(parts, loss)
        else:
            parts = batch.parts(config, even=probe)
            add = self.gathered.add
            work = (add(part, moments, coefficients, recording=recording) for part in parts)
        done: list[tuple[Minibatch, MinibatchLoss]] = []
        for part, one in zip(parts, work, strict=True):
            done.append((part, one))
            if probe and 2 * len(done) == len(parts):
                first = torch.stack([half.living for half, _ in done]).sum()
                self._noise.half(first / batch.living.clamp(min=1))
        noise: dict[str, Tensor] = {}
        if probe and len(parts) > 1:
            size = len(batch.rows) * config.horizon * self.ranks.size
            noise = self._noise.whole(size, self.ranks.size)
        self.ranks.add_up_gradients(self.policy.parameters())
        return Learned(done, noise)

    def _in_one_call(
        self,
        batch: Minibatch,
        gradient: cpu_gradient.CpuGradient,
        moments: Tensor,
        config: TrainConfig,
        *,
        probe: bool,
    ) -> Learned:
        """As `add`, by the kernel for it."""
        count = batch.part_count(config, most=gradient.most, even=True)
        probe = probe and count > 1
        loss, found = gradient.find(batch, count, moments, config, halves=probe)
        gradients = gradient.by_parameter(found.gradients)
        noise: dict[str, Tensor] = {}
        if probe:
            size = len(batch.rows) * config.horizon * self.ranks.size
            noise = gradient.noise(found, gradients, size, self.ranks.size)
        add_gradients(self._parameters, gradients)
        self.ranks.add_up_gradients(self.policy.parameters())
        return Learned([(batch, loss)], noise)

    def _add_each(self, parts: Sequence[Minibatch], loss: Loss) -> Iterator[MinibatchLoss]:
        """Adds the gradient of one part after the other; the loss of each."""
        for one, gradients in self._in_parts.each(parts, loss):
            add_gradients(self._parameters, gradients)
            yield one

    def _loss(self, moments: Tensor, config: TrainConfig, coefficients: Tensor) -> Loss:
        """The loss of a part of a minibatch whose advantages have these moments, on the CPU."""
        distribution = self.distribution
        if distribution.continuous or sum(distribution.sizes) > MOST_CHOICES:
            return partial(self.gathered.loss_of, moments=moments, numbers=coefficients)
        return partial(self._loss_in_place, moments=moments, config=config)

    def _loss_in_place(
        self, part: Minibatch, moments: Tensor, config: TrainConfig
    ) -> MinibatchLoss:
        """That of segments where they lie in the rollout."""
        rollout, rows = part.rollout, part.rows
        heads, _ = self.policy.sequence(
            rollout.observations[:-1], rollout.state[:, :, rows], rollout.resets[:, rows], rows
        )
        return fused_ppo_loss(heads, self.distribution.size_tensor, part, moments, config)

    def _on_cpu(self, rollout: Rollout) -> bool:
        return rollout.rewards.is_cpu

    def _moments(self, batch: Minibatch) -> Tensor:
        """Of the advantages of the whole minibatch, however many parts it is worked on in."""
        if self._on_cpu(batch.rollout):
            return fused_moments(batch.rollout, batch.rows, batch.advantages)
        return batch.moments()
