"""What one gradient step learns from: segments of a rollout, and the parts that fit into memory."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from torch import Tensor

from pufftui.trainer.config import TrainConfig
from pufftui.trainer.rollout import Rollout


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

    def picked(self) -> Picked:
        """Its segments, gathered from the rollout."""
        rollout, rows = self.rollout, self.rows
        return Picked(
            observations=rollout.seen(rows),
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
