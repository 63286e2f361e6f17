"""An update on the CPU with little Python: two calls into C for each minibatch, prepared once; see kernels/c/learning.c."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pufftui.trainer import kernels
from pufftui.trainer.collecting.rollout import Rollout
from pufftui.trainer.kernels.sums import places
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.ppo.advantage import finding_newest
from pufftui.trainer.ppo.chance import Chance
from pufftui.trainer.ppo.cpu_gradient import CpuGradient, Found
from pufftui.trainer.ppo.cpu_step import CpuStep
from pufftui.trainer.ppo.fused_loss import figures_of_each, finding_moments
from pufftui.trainer.ppo.loss import FIGURES
from pufftui.trainer.ppo.minibatch import Minibatch, Newest, minibatch_plan
from pufftui.trainer.ppo.priority import drawing
from pufftui.trainer.ppo.reward_scale import return_figures
from pufftui.trainer.ppo.vitals import update_figures
from pufftui.trainer.settings.fields import TrainConfig


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """The calls for the minibatches of rollouts at one place in memory, and where they leave what they find."""

    of: object
    minibatch: Any
    by_name: dict[str, kernels.Prepared]
    probing: kernels.Prepared | None
    """The gradient with that of its first half, if it has halves."""
    draw: kernels.Prepared | None
    newest: Newest
    rows: Tensor
    advantages: Tensor
    found: Found


class CpuUpdate:
    """What `learn` of training/epoch.py does, to the byte, where a network's gradient and step are one call each."""

    def __init__(self, policy: Policy, gradient: CpuGradient, step: CpuStep) -> None:
        """Both are the policy's."""
        self._policy, self._gradient, self._step = policy, gradient, step
        self._fixed = policy.lookup is None
        """Whether the gradient of each parameter is found where it always was."""
        self._prepared: _Prepared | None = None

    def learn(
        self,
        rollout: Rollout,
        config: TrainConfig,
        chance: Chance,
        interrupted: Callable[[], bool],
        *,
        scaling: bool,
        probe: bool,
    ) -> dict[str, Tensor] | None:
        """All gradient steps on one rollout; its figures by name, or None if `interrupted` said so.

        With `probe` the gradient's noise is measured in the first minibatch.
        """
        calls = self._calls(rollout, config)
        newest, learning = calls.newest, calls.minibatch
        newest.ratios.fill_(1)
        newest.values.copy_(rollout.values)
        newest.trained.zero_()
        rate, most = chance.step.tolist()
        starts = chance.draws.tolist() if calls.draw else []
        if calls.draw:
            calls.draw.job.beta = float(chance.beta)
        count = len(chance.draws)
        sums, norms = np.empty((count, len(places()))), np.empty(count, np.float32)
        returns: dict[str, Tensor] = {}
        noise: dict[str, Tensor] = {}
        gradients = self._by_parameter(calls.found) if self._fixed else []
        parts = self._step.ordered(gradients) if self._fixed else []
        library, pool = kernels.opened()[1], kernels.pool(torch.get_num_threads())
        for name, call in calls.by_name.items():
            if name != "gradient":
                setattr(learning, f"for_{name}", kernels.pool(call.threads))
        for number in range(count):
            if interrupted():
                return None
            if calls.draw:
                calls.draw.job.start = starts[number]
            else:
                calls.rows.copy_(chance.draws[number])
            self._gradient.follow()
            probing = calls.probing if probe and number == 0 else None
            learning.gradient = (probing or calls.by_name["gradient"]).job
            library.puff_learn(pool, learning)
            if scaling and number == 0:
                returns = return_figures(rollout, calls.advantages, config.gamma)
            if not self._fixed:
                gradients = self._by_parameter(calls.found)
                parts = self._step.ordered(gradients)
            if probing is not None:
                size = calls.found.ratios.numel()
                noise = self._gradient.noise(calls.found, gradients, size, 1)
            self._step.gather(parts)
            norms[number] = self._step.take(rate, most)
            sums[number] = calls.found.sums.numpy()
        figures = figures_of_each(sums)
        each = np.column_stack((figures, norms, np.isfinite(norms).astype(np.float32)))
        means = torch.from_numpy(each).mean(dim=0).unbind()
        named = dict(zip((*FIGURES, "grad_norm", "finite"), means, strict=True))
        named["untrained"] = 1 - newest.trained.float().mean()
        return named | noise | returns | update_figures(self._policy, rollout)

    def _by_parameter(self, found: Found) -> list[Tensor]:
        return self._gradient.by_parameter(found.gradients)

    def _calls(self, rollout: Rollout, config: TrainConfig) -> _Prepared:
        """Those that were prepared if nothing has moved or been set anew since."""
        where = [array.data_ptr() for array in rollout.tensors()]
        of = config, where, torch.get_num_threads()
        if self._prepared is None or self._prepared.of != of:
            self._prepared = self._prepare(rollout, config, of)
        return self._prepared

    def _prepare(self, rollout: Rollout, config: TrainConfig, of: object) -> _Prepared:
        horizon, agents = rollout.rewards.shape
        segments, _ = minibatch_plan(config, agents)
        newest, found = Newest.of(rollout), self._gradient.room(horizon, segments)
        rows, weights = torch.zeros(segments, dtype=torch.long), torch.ones(segments)
        advantages, magnitudes = torch.empty(horizon, agents), torch.empty(agents)
        batch = Minibatch(rollout, rows, weights, advantages, newest.values)
        parts = batch.part_count(config, most=self._gradient.most, even=True)
        moments = torch.empty(3, dtype=torch.float64)
        alpha = config.priority_alpha
        gradient = partial(self._gradient.prepared, batch, parts, moments, config, found)
        probing = gradient(halves=True) if parts > 1 else None
        calls = {
            "advantages": finding_newest(rollout, newest, config, advantages, magnitudes),
            "moments": finding_moments(rollout, rows, advantages, moments),
            "gradient": gradient(halves=False),
            "keeping": newest.keeping(rows, found.ratios, found.values),
        }
        draw = drawing(magnitudes, alpha, rows, weights) if alpha > 0 else None
        learning = kernels.opened()[0].new("puff_learning *")
        for name, call in calls.items():
            setattr(learning, name, call.job)
        if draw is not None:
            learning.drawing = draw.job
        return _Prepared(of, learning, calls, probing, draw, newest, rows, advantages, found)


def fits(rollout: Rollout) -> bool:
    """Whether calls may keep the addresses of all arrays of a rollout: contiguous ones on the CPU."""
    return all(array.is_cpu and array.is_contiguous() for array in rollout.tensors())
