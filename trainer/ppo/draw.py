"""Which segments of a rollout the next minibatch is made of."""

from __future__ import annotations

import torch
from torch import Tensor

from pufftui.trainer.collecting.rollout import Rollout
from pufftui.trainer.ppo.chance import Chance
from pufftui.trainer.ppo.minibatch import Minibatch, Newest, minibatch_plan
from pufftui.trainer.ppo.priority import draw_segments
from pufftui.trainer.settings.fields import TrainConfig


class Minibatches:
    """The minibatches of one update, drawn one after the other; there are `count`."""

    def __init__(
        self, rollout: Rollout, newest: Newest, config: TrainConfig, chance: Chance
    ) -> None:
        self._rollout, self._newest, self._config, self._chance = rollout, newest, config, chance
        self._segments, self.count = minibatch_plan(config, rollout.rewards.shape[1])
        self._beta = chance.beta.float()

    def draw(self, number: int, advantages: Tensor, magnitudes: Tensor) -> Minibatch:
        """The minibatch of this number, from 0, by the newest advantages and their sums per segment.

        A segment with larger advantages comes more often, or all alike if the config's alpha is 0.
        """
        alpha, draws = self._config.priority_alpha, self._chance.draws[number]
        if alpha > 0:
            rows, weights = draw_segments(magnitudes, alpha, self._beta, draws, self._segments)
        else:
            rows, weights = draws, torch.ones(self._segments, device=magnitudes.device)
        return Minibatch(self._rollout, rows, weights, advantages, self._newest.values)
