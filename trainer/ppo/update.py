"""The parts that turn a rollout into a better policy, and their work as one CUDA graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from pufftui.trainer.collecting.graphs import Function, recorded
from pufftui.trainer.collecting.rollout import Rollout
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.ppo import cpu_update
from pufftui.trainer.ppo.chance import Chance
from pufftui.trainer.ppo.cpu_step import CpuStep
from pufftui.trainer.ppo.cpu_update import CpuUpdate
from pufftui.trainer.ppo.gradient import MinibatchGradient
from pufftui.trainer.ppo.minibatch import minibatch_plan
from pufftui.trainer.ppo.optimizer import PolicyOptimizer
from pufftui.trainer.ppo.ranks import Ranks
from pufftui.trainer.settings.fields import TrainConfig

MOST_MINIBATCHES = 64
"""In an update that is recorded as one graph: each has some 50 kernels, with an LSTM some thousands."""


@dataclass(frozen=True, slots=True, eq=False)
class UpdateReport:
    """Figures of one update by name, (figures,) float64, still on the device and valid until the next."""

    names: tuple[str, ...]
    values: Tensor

    @property
    def figures(self) -> dict[str, Tensor]:
        """Each by itself."""
        return dict(zip(self.names, self.values.unbind(), strict=True))


class Learn(Protocol):
    """The order of an update: goes through all minibatches, and returns its figures by name.

    None if `interrupted` said so on the way. With `probe` it also measures the gradient's noise. While
    `recording`, what it does is being recorded: it must do the same every time, with tensors alone.
    """

    def __call__(
        self,
        learner: Learner,
        rollout: Rollout,
        config: TrainConfig,
        interrupted: Callable[[], bool],
        *,
        probe: bool,
        recording: bool = False,
    ) -> dict[str, Tensor] | None:
        """Learns from the rollout."""


class Learner:
    """What an update needs, and its recording.

    On a GPU the whole update is recorded as one CUDA graph, anew when somebody changes a setting.
    """

    def __init__(
        self,
        policy: Policy,
        optimizer: PolicyOptimizer,
        generator: torch.Generator,
        ranks: Ranks,
        *,
        scaling: bool = False,
        stream: torch.cuda.Stream | None = None,
    ) -> None:
        """With `scaling`, an update also has the figures that the reward scale follows; it is recorded on the `stream`."""
        self._stream = stream
        self.scaling = scaling
        self.policy = policy
        self.optimizer = optimizer
        self.ranks = ranks
        self.gradient = MinibatchGradient(policy, ranks)
        self.chance = Chance(generator, policy.heads.weight.device)
        self._in_calls = self._update_on_cpu()
        self._recorded: dict[bool, tuple[TrainConfig, Function, tuple[str, ...]]] = {}
        self._whole_unrecorded = ""

    @property
    def unrecorded(self) -> str:
        """Why the work is not recorded as CUDA graphs, though there is a GPU."""
        in_parts = self.gradient.gathered.unrecorded or self.optimizer.unrecorded
        return self._whole_unrecorded or in_parts

    def update(
        self,
        learn: Learn,
        rollout: Rollout,
        config: TrainConfig,
        learning_rate: float,
        beta: float,
        interrupted: Callable[[], bool],
        *,
        probe: bool = False,
    ) -> UpdateReport | None:
        """Does what `learn` says, as one graph where that can be; None if `interrupted` said so."""
        if self.chance.renew(config, rollout.rewards.shape[1], learning_rate, beta):
            self._recorded.clear()  # They read the places of before.
        if self._recordable(rollout, config) and (
            work := self._whole(learn, rollout, config, probe)
        ):
            function, names = work
            (values,) = function()
            return None if interrupted() else UpdateReport(names, values)
        figures: dict[str, Tensor] | None
        if self._in_calls is not None and cpu_update.fits(rollout):
            given = rollout, config, self.chance, interrupted
            figures = self._in_calls.learn(*given, scaling=self.scaling, probe=probe)
        else:
            figures = learn(self, rollout, config, interrupted, probe=probe)
        if figures is None:
            return None
        return UpdateReport(tuple(figures), _stacked(figures))

    def _update_on_cpu(self) -> CpuUpdate | None:
        """What learns as `learn` does, if the work on a minibatch can be calls; None where several ranks meet within it."""
        gradient, step = self.gradient.in_one, self.optimizer.in_kernels
        if gradient is None or not isinstance(step, CpuStep) or self.ranks.size > 1:
            return None
        return CpuUpdate(self.policy, gradient, step)

    def _recordable(self, rollout: Rollout, config: TrainConfig) -> bool:
        """Several ranks meet within an update; observations on the host have to be asked for; a graph has its limits."""
        if minibatch_plan(config, rollout.rewards.shape[1])[1] > MOST_MINIBATCHES:
            return False
        on_gpu = rollout.rewards.is_cuda and rollout.observations.is_cuda
        return on_gpu and self.ranks.size == 1 and not self._whole_unrecorded

    def _whole(
        self, learn: Learn, rollout: Rollout, config: TrainConfig, probe: bool
    ) -> tuple[Function, tuple[str, ...]] | None:
        """The update as one graph, and the names of its figures; None if it cannot be recorded."""
        if probe not in self._recorded or self._recorded[probe][0] != config:
            self._recorded.pop(probe, None)  # Its memory first.
            names: tuple[str, ...] = ()

            def work() -> tuple[Tensor, ...]:
                nonlocal names
                figures = learn(self, rollout, config, _never, probe=probe, recording=True)
                assert figures is not None
                names = tuple(figures)
                return (_stacked(figures),)

            undo = [*self.policy.parameters(), *self.optimizer.state().values()]
            function, self._whole_unrecorded = recorded(
                work, warm_ups=1, undo=undo, stream=self._stream
            )
            if self._whole_unrecorded:
                return None
            self._recorded[probe] = config, function, names
        return self._recorded[probe][1:]


def _stacked(figures: dict[str, Tensor]) -> Tensor:
    """All of them in one array."""
    return torch.stack([figure.double() for figure in figures.values()])


def _never() -> bool:
    return False
