"""Learns from one rollout: minibatches of segments, recomputed advantages, gradient steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pufftui.trainer.network.actions import ActionDistribution
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.ppo.advantage import advantages as estimate_advantages
from pufftui.trainer.ppo.fused_loss import MOST_CHOICES, fused_moments, fused_ppo_loss
from pufftui.trainer.ppo.gradient import GatheredGradient
from pufftui.trainer.ppo.graphs import Function, recorded
from pufftui.trainer.ppo.loss import FIGURES, MinibatchLoss, coefficients
from pufftui.trainer.ppo.minibatch import Minibatch, minibatch_plan
from pufftui.trainer.ppo.optimizer import PolicyOptimizer
from pufftui.trainer.ppo.priority import draw_segments
from pufftui.trainer.ppo.ranks import Ranks
from pufftui.trainer.ppo.rollout import Rollout
from pufftui.trainer.ppo.vitals import GradientNoise
from pufftui.trainer.settings.fields import TrainConfig

MOST_MINIBATCHES = 64
"""In an update that is recorded as one graph: each has some 50 kernels, with an LSTM some thousands."""

Signs = Callable[[Rollout], dict[str, Tensor]]
"""Figures of a rollout and of the policy that has learned from it."""


@dataclass(frozen=True, slots=True, eq=False)
class UpdateReport:
    """Figures of one update by name, (figures,) float64, still on the device and valid until the next.

    They are means over its minibatches, and the gradient's noise if it was looked for. `finite` is the share
    of minibatches whose gradient was finite; `untrained` the share of segments that no minibatch took.
    """

    names: tuple[str, ...]
    values: Tensor

    @property
    def figures(self) -> dict[str, Tensor]:
        """Each by itself."""
        return dict(zip(self.names, self.values.unbind(), strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Chance:
    """What an update needs of chance, and its settings that change with every epoch, on the device.

    `draws` are a uniform number for each minibatch, or its rows themselves if all segments count alike.
    `numbers` (7,) float64 are the loss's coefficients, the learning rate, the largest norm of the
    gradient, and beta.
    """

    draws: Tensor
    numbers: Tensor


class Learner:
    """Turns rollouts into a better policy.

    On a GPU the whole update is recorded as one CUDA graph, anew when somebody changes a setting.
    """

    def __init__(
        self,
        policy: Policy,
        optimizer: PolicyOptimizer,
        generator: torch.Generator,
        ranks: Ranks,
        signs: Signs = lambda _: {},
    ) -> None:
        """`signs` are reported with every update; on a GPU nothing in them may ask the device."""
        self.ranks = ranks
        self.policy = policy
        self.optimizer = optimizer
        self.generator = generator
        self.distribution = ActionDistribution(policy.descriptor)
        self._signs = signs
        self._gathered = GatheredGradient(policy, self.distribution)
        self._noise = GradientNoise(policy)
        self._chance: Chance | None = None
        self._host_numbers = torch.zeros(
            7, dtype=torch.float64, pin_memory=generator.device.type == "cuda"
        )
        self._recorded: dict[bool, tuple[TrainConfig, Function, tuple[str, ...]]] = {}
        self._whole_unrecorded = ""

    @property
    def unrecorded(self) -> str:
        """Why the work is not recorded as CUDA graphs, though there is a GPU."""
        in_parts = self._gathered.unrecorded or self.optimizer.unrecorded
        return self._whole_unrecorded or in_parts

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
        self._fill(rollout, config, learning_rate, beta)
        if self._recordable(rollout, config) and (work := self._whole(rollout, config, probe)):
            function, names = work
            (values,) = function()
            return None if interrupted() else UpdateReport(names, values)
        figures = self._learn(rollout, config, probe, interrupted)
        if figures is None:
            return None
        return UpdateReport(tuple(figures), _stacked(figures))

    def _fill(
        self, rollout: Rollout, config: TrainConfig, learning_rate: float, beta: float
    ) -> None:
        """Brings to the device what is new in this update, and draws what it needs of chance."""
        device, agents = rollout.rewards.device, rollout.rewards.shape[1]
        segments, minibatches = minibatch_plan(config, agents)
        rest = (learning_rate, config.max_gradient_norm, beta)
        self._host_numbers.numpy()[:] = (*coefficients(config), *rest)
        options: dict[str, Any] = {"generator": self.generator, "device": device}
        even = config.priority_alpha <= 0
        shape = (minibatches, segments) if even else (minibatches,)
        if self._chance is None or self._chance.draws.shape != shape:
            draws = torch.empty(shape, dtype=torch.long if even else torch.float32, device=device)
            self._chance = Chance(
                draws, torch.empty(len(self._host_numbers), dtype=torch.float64, device=device)
            )
            self._recorded.clear()  # They read the places of before.
        self._chance.numbers.copy_(self._host_numbers, non_blocking=True)
        if not even:
            torch.rand(shape, out=self._chance.draws, **options)
            return
        rounds = -(-segments * minibatches // agents)
        order = torch.cat([torch.randperm(agents, **options) for _ in range(rounds)])
        self._chance.draws.copy_(order[: segments * minibatches].view(shape))

    def _recordable(self, rollout: Rollout, config: TrainConfig) -> bool:
        """Several ranks meet within an update; observations on the host have to be asked for; a graph has its limits."""
        if minibatch_plan(config, rollout.rewards.shape[1])[1] > MOST_MINIBATCHES:
            return False
        on_gpu = rollout.rewards.is_cuda and rollout.observations.is_cuda
        return on_gpu and self.ranks.size == 1 and not self._whole_unrecorded

    def _whole(
        self, rollout: Rollout, config: TrainConfig, probe: bool
    ) -> tuple[Function, tuple[str, ...]] | None:
        """The update as one graph, and the names of its figures; None if it cannot be recorded."""
        if probe not in self._recorded or self._recorded[probe][0] != config:
            self._recorded.pop(probe, None)  # Its memory first.
            names: tuple[str, ...] = ()

            def work() -> tuple[Tensor, ...]:
                nonlocal names
                figures = self._learn(rollout, config, probe, _never, recording=True)
                assert figures is not None
                names = tuple(figures)
                return (_stacked(figures),)

            undo = [*self.policy.parameters(), *self.optimizer.state().values()]
            function, self._whole_unrecorded = recorded(work, warm_ups=1, undo=undo)
            if self._whole_unrecorded:
                return None
            self._recorded[probe] = config, function, names
        return self._recorded[probe][1:]

    def _learn(
        self,
        rollout: Rollout,
        config: TrainConfig,
        probe: bool,
        interrupted: Callable[[], bool],
        *,
        recording: bool = False,
    ) -> dict[str, Tensor] | None:
        """Goes through the minibatches one by one."""
        assert self._chance is not None
        chance = self._chance
        agents = rollout.rewards.shape[1]
        segments, minibatches = minibatch_plan(config, agents)
        ratios = torch.ones_like(rollout.rewards)
        values = rollout.values.clone()
        trained = torch.zeros(agents, dtype=torch.bool, device=ratios.device)
        beta = chance.numbers[-1:].float()
        reports: list[Tensor] = []
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
                start = chance.draws[number]
                rows, weights = draw_segments(
                    magnitudes, config.priority_alpha, beta, start, segments
                )
            else:
                rows = chance.draws[number]
                weights = torch.ones(segments, device=ratios.device)
            batch = Minibatch(rollout, rows, weights, advantages, values)
            measured = noise if probe and number == 0 else None
            parts, new = self._gradients(batch, config, chance, measured, recording=recording)
            norm, finite = self.optimizer.step(chance.numbers[4:6], recording=recording)
            for part, loss in zip(parts, new, strict=True):
                part.put_back(loss, ratios, trained)
            reports.append(_report(new, norm, finite))
        figures = torch.stack(reports).mean(dim=0).unbind()
        named = dict(zip((*FIGURES, "grad_norm", "finite"), figures, strict=True))
        named["untrained"] = 1 - trained.float().mean()
        return named | noise | self._signs(rollout)

    def _gradients(
        self,
        batch: Minibatch,
        config: TrainConfig,
        chance: Chance,
        noise: dict[str, Tensor] | None,
        *,
        recording: bool,
    ) -> tuple[list[Minibatch], list[MinibatchLoss]]:
        """The gradient of a minibatch, in parts if it is large, for the parameters to hold.

        `noise` receives the gradient's noise if it is given.
        """
        moments = self.ranks.add_up(self._moments(batch))
        parts = batch.parts(config, even=noise is not None)
        new: list[MinibatchLoss] = []
        for part in parts:
            if self._in_place(batch.rollout):
                new.append(self._gradient_in_place(part, moments, config))
            else:
                numbers = chance.numbers[:4]
                new.append(self._gathered.add(part, moments, numbers, recording=recording))
            if noise is not None and 2 * len(new) == len(parts):
                self._noise.half()
        if noise is not None and len(parts) > 1:
            size = len(batch.rows) * config.horizon * self.ranks.size
            noise.update(self._noise.whole(size, self.ranks.size))
        self.ranks.add_up_gradients(self.policy.parameters())
        return parts, new

    def _in_place(self, rollout: Rollout) -> bool:
        distribution, on_cpu = self.distribution, rollout.rewards.is_cpu
        return on_cpu and not distribution.continuous and sum(distribution.sizes) <= MOST_CHOICES

    def _moments(self, batch: Minibatch) -> Tensor:
        """Of the advantages of the whole minibatch, however many parts it is worked on in."""
        if self._in_place(batch.rollout):
            return fused_moments(batch.rollout, batch.rows, batch.advantages)
        return batch.moments()

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


def _report(new: list[MinibatchLoss], norm: Tensor, finite: Tensor) -> Tensor:
    """A gradient step's figures, means over its parts, then its norm and whether it was finite."""
    figures = new[0].figures
    if len(new) > 1:
        figures = torch.stack([loss.figures for loss in new]).mean(dim=0)
    return torch.cat((figures, norm.view(1), finite.view(1)))


def _stacked(figures: dict[str, Tensor]) -> Tensor:
    """All of them in one array."""
    return torch.stack([figure.double() for figure in figures.values()])


def _never() -> bool:
    return False
