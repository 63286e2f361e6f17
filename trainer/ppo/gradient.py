"""The gradient of the PPO loss of one minibatch, for the policy's parameters to hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from pufftui.trainer.collecting.rollout import Rollout
from pufftui.trainer.network.actions import ActionDistribution
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.ppo.fused_loss import MOST_CHOICES, fused_moments
from pufftui.trainer.ppo.gathered import GatheredGradient, add_gradients
from pufftui.trainer.ppo.in_place import InPlaceGradient
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
    """Works on minibatches whichever way is the fastest here: in place on the CPU, else gathered."""

    def __init__(self, policy: Policy, ranks: Ranks) -> None:
        self.policy = policy
        self.ranks = ranks
        self.distribution = ActionDistribution(policy.descriptor)
        self.gathered = GatheredGradient(policy, self.distribution)
        self._halves = InPlaceGradient(policy, self.distribution)
        self._parameters = list(policy.parameters())
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
        if self._in_place(batch.rollout):
            parts = batch.parts(config, even=True)
            work = self._add_halves(parts, moments, config)
        else:
            parts = batch.parts(config, even=probe)
            add = self.gathered.add
            work = ([add(part, moments, coefficients, recording=recording)] for part in parts)
        done: list[tuple[Minibatch, MinibatchLoss]] = []
        for losses in work:
            done.extend(zip(parts[len(done) :], losses, strict=False))
            if probe and 2 * len(done) == len(parts):
                first = torch.stack([half.living for half, _ in done]).sum()
                self._noise.half(first / batch.living.clamp(min=1))
        noise: dict[str, Tensor] = {}
        if probe and len(parts) > 1:
            size = len(batch.rows) * config.horizon * self.ranks.size
            noise = self._noise.whole(size, self.ranks.size)
        self.ranks.add_up_gradients(self.policy.parameters())
        return Learned(done, noise)

    def _add_halves(
        self, parts: list[Minibatch], moments: Tensor, config: TrainConfig
    ) -> Iterator[list[MinibatchLoss]]:
        """Adds the gradients of one half after the other; the losses of its parts."""
        for half in self._halves.halves(parts, moments, config):
            add_gradients(self._parameters, half.gradients)
            yield half.losses

    def _in_place(self, rollout: Rollout) -> bool:
        distribution, on_cpu = self.distribution, rollout.rewards.is_cpu
        return on_cpu and not distribution.continuous and sum(distribution.sizes) <= MOST_CHOICES

    def _moments(self, batch: Minibatch) -> Tensor:
        """Of the advantages of the whole minibatch, however many parts it is worked on in."""
        if self._in_place(batch.rollout):
            return fused_moments(batch.rollout, batch.rows, batch.advantages)
        return batch.moments()
