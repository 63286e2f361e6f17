"""What one gradient step learns from: segments of a rollout, and the parts that fit into memory."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from pufftui.trainer import kernels
from pufftui.trainer.collecting.rollout import Rollout
from pufftui.trainer.kernels.threads import threads_for
from pufftui.trainer.ppo.loss import MinibatchLoss, advantage_moments
from pufftui.trainer.settings.fields import TrainConfig


def minibatch_plan(config: TrainConfig, agents: int) -> tuple[int, int]:
    """(segments in a minibatch, minibatches in an update) for a rollout of `agents` segments."""
    segments = min(max(1, round(config.minibatch_size / config.horizon)), agents)
    return segments, max(1, round(config.replay_ratio * agents / segments))


@dataclass(frozen=True, slots=True, eq=False)
class Newest:
    """What the policy in hand makes of a rollout, as far as minibatches have told; changes in place.

    `ratios` (horizon, agents) of the actions' probabilities, now to then; `values` (horizon + 1,
    agents); `trained` (agents,) bool: whose segment was in a minibatch.
    """

    ratios: Tensor
    values: Tensor
    trained: Tensor

    @classmethod
    def of(cls, rollout: Rollout) -> Newest:
        """Before the first minibatch, when the policy is still the one that played."""
        agents, device = rollout.rewards.shape[1], rollout.rewards.device
        return cls(
            ratios=torch.ones_like(rollout.rewards),
            values=rollout.values.clone(),
            trained=torch.zeros(agents, dtype=torch.bool, device=device),
        )

    def keeping(self, rows: Tensor, ratios: Tensor, values: Tensor) -> kernels.Prepared:
        """The call on a CPU that keeps those (horizon, segments) of segments that have been learned from."""
        steps, agents = self.ratios.shape
        return kernels.prepared(
            "puff_keep_newest",
            "puff_keeping",
            threads_for(ratios.numel()),
            steps=steps,
            agents=agents,
            segments=len(rows),
            indices=rows,
            ratios=ratios.contiguous(),
            values=values.contiguous(),
            all_ratios=self.ratios,
            all_values=self.values,
            trained=self.trained.view(torch.uint8),
        )


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

    def parts(
        self, config: TrainConfig, *, most: int | None = None, even: bool = False
    ) -> list[Minibatch]:
        """The minibatch cut so that none has more than `most` agent steps, or than the config allows.

        If `even`, into two halves of as many parts each, unless it is a single segment. Parts differ by
        at most one segment.
        """
        return self.cut(self.part_count(config, most=most, even=even))

    def part_count(
        self, config: TrainConfig, *, most: int | None = None, even: bool = False
    ) -> int:
        """How many parts `parts` cuts it into."""
        steps = min(config.max_forward_size, most or config.max_forward_size)
        count = -(-len(self.rows) // max(1, steps // config.horizon))
        if even:
            count += count % 2
        return max(1, min(count, len(self.rows) - (even and len(self.rows) % 2)))

    def cut(self, count: int) -> list[Minibatch]:
        """The minibatch in so many parts, which differ by at most one segment."""
        if count == 1:
            return [self]
        pairs = zip(self.rows.tensor_split(count), self.weights.tensor_split(count), strict=True)
        return [replace(self, rows=rows, weights=weights) for rows, weights in pairs]

    @property
    def living(self) -> Tensor:
        """How many of its agent steps count, of agents that were alive; () float32."""
        return self.rollout.alive[:, self.rows].float().sum()

    def moments(self) -> Tensor:
        """`advantage_moments` of its segments."""
        alive = self.rollout.alive
        if kernels.on_gpu(self.advantages):
            from pufftui.trainer.kernels import gpu_sums

            return gpu_sums.moments(self.advantages, alive, self.rows)
        return advantage_moments(self.advantages[:, self.rows], alive[:, self.rows].float())

    def put_back(self, new: MinibatchLoss, ratios: Tensor, trained: Tensor) -> None:
        """Keeps what has been learned: the ratios (horizon, agents), the values, and who was `trained` (agents,)."""
        rows = self.rows
        if kernels.on_gpu(ratios):
            from pufftui.trainer.kernels import gpu_gather

            gpu_gather.put_back(rows, new.ratios, new.values, ratios, self.values, trained)
            return
        if not ratios.is_cpu:
            trained[rows] = True
            ratios[:, rows] = new.ratios
            self.values[:-1, rows] = new.values
            return
        newest = Newest(ratios, self.values, trained)
        newest.keeping(rows.contiguous(), new.ratios.detach(), new.values.detach())()

    def picked(self, *, in_place: bool = False) -> Picked:
        """Its segments, gathered from the rollout; observations `in_place` are left there."""
        rollout, rows = self.rollout, self.rows
        observations = rollout.observations[:-1] if in_place else rollout.seen(rows)
        if kernels.on_gpu(self.advantages):
            from pufftui.trainer.kernels import gpu_gather

            names = ("resets", "state", "actions", "log_probabilities", "alive")
            arrays = {name: getattr(rollout, name) for name in names}
            arrays |= {"advantages": self.advantages, "values": self.values}
            parts = dict(zip(arrays, gpu_gather.pick(rows, **arrays), strict=True))
            return Picked(observations=observations, weights=self.weights, **parts)
        return Picked(
            observations=observations,
            resets=rollout.resets[:, rows],
            state=rollout.state[:, :, rows],
            actions=rollout.actions[:, rows],
            log_probabilities=rollout.log_probabilities[:, rows],
            alive=rollout.alive[:, rows].float(),
            advantages=self.advantages[:, rows],
            values=self.values[:-1, rows],
            weights=self.weights,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Picked:
    """The segments of a minibatch, (horizon, segments) as in a rollout; `values` are the newest."""

    observations: Tensor
    resets: Tensor
    state: Tensor
    actions: Tensor
    log_probabilities: Tensor
    alive: Tensor
    advantages: Tensor
    values: Tensor
    weights: Tensor

    def tensors(self) -> tuple[Tensor, ...]:
        """All of it, in the order of the fields."""
        return tuple(getattr(self, field.name) for field in fields(self))
