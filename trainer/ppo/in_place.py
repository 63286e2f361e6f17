"""The gradient of the PPO loss of segments where they lie in a rollout: on the CPU, for discrete actions."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd import grad

from pufftui.trainer.network.actions import ActionDistribution
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.ppo.fused_loss import fused_ppo_loss
from pufftui.trainer.ppo.loss import MinibatchLoss
from pufftui.trainer.ppo.minibatch import Minibatch
from pufftui.trainer.settings.fields import TrainConfig


@dataclass(frozen=True, slots=True, eq=False)
class Half:
    """The loss of each part of half a minibatch, and their gradient, one tensor for each parameter."""

    losses: list[MinibatchLoss]
    gradients: list[Tensor]


class InPlaceGradient:
    """Works on the two halves of a minibatch at the same time, each with half of torch's threads.

    An operation that is shared by threads ends when the last of them is there, and there are some fifty of
    them; halves meet once. How they are cut does not depend on the number of threads.
    """

    def __init__(self, policy: Policy, distribution: ActionDistribution) -> None:
        self._policy, self._distribution = policy, distribution
        self._parameters = list(policy.parameters())
        self._second = ThreadPoolExecutor(1, thread_name_prefix="second half")

    def halves(
        self, parts: Sequence[Minibatch], moments: Tensor, config: TrainConfig
    ) -> list[Half]:
        """Both halves of a minibatch in these parts, or its only part; `moments` are the whole minibatch's."""
        middle, threads = -(-len(parts) // 2), torch.get_num_threads()
        if len(parts) == 1:
            return [self._half(parts, moments, config, threads)]
        first, second = parts[:middle], parts[middle:]
        if threads == 1:
            return [self._half(half, moments, config, 1) for half in (first, second)]
        each = threads // 2
        later = self._second.submit(self._half, second, moments, config, each)
        try:
            done = self._half(first, moments, config, threads - each)
        finally:
            torch.set_num_threads(threads)
            later.exception()  # Waits: it reads what the caller may change next.
        return [done, later.result()]

    def _half(
        self, parts: Sequence[Minibatch], moments: Tensor, config: TrainConfig, threads: int
    ) -> Half:
        torch.set_num_threads(threads)
        losses: list[MinibatchLoss] = []
        gradients: list[Tensor] = []
        for part in parts:
            loss = self._loss(part, moments, config)
            losses.append(loss)
            more = grad(loss.total, self._parameters)
            if gradients:
                for own, other in zip(gradients, more, strict=True):
                    own.add_(other)
            else:
                gradients = list(more)
        return Half(losses, gradients)

    def _loss(self, part: Minibatch, moments: Tensor, config: TrainConfig) -> MinibatchLoss:
        rollout, rows = part.rollout, part.rows
        heads, _ = self._policy.sequence(
            rollout.observations[:-1], rollout.state[:, :, rows], rollout.resets[:, rows], rows
        )
        return fused_ppo_loss(
            heads,
            self._distribution.size_tensor,
            rollout,
            rows,
            part.weights,
            part.advantages,
            part.values,
            moments,
            config,
        )
