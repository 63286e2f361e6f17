"""Everything that learns, built from a config: policy, environments, optimizer, random numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pufftui.envs.errors import PuffError
from pufftui.envs.library import EnvLibrary
from pufftui.envs.vector import VectorEnv
from pufftui.trainer import kernels
from pufftui.trainer.collecting.clock import Clock
from pufftui.trainer.collecting.collector import Collector
from pufftui.trainer.collecting.rollout import Storage
from pufftui.trainer.kernels.threads import work_on
from pufftui.trainer.messages.command import SetField
from pufftui.trainer.messages.weights import PolicyWeights, in_own_rewards, weights_of
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.ppo.device import choose_device, product_dtype, thread_count
from pufftui.trainer.ppo.observed import ObservedMoments
from pufftui.trainer.ppo.optimizer import PolicyOptimizer
from pufftui.trainer.ppo.ranks import Ranks
from pufftui.trainer.ppo.reward_scale import FIGURES as RETURN_FIGURES
from pufftui.trainer.ppo.reward_scale import RewardScale
from pufftui.trainer.ppo.update import Learner
from pufftui.trainer.ppo.vitals import UNITS_EVERY, UNITS_STEPS
from pufftui.trainer.run.checkpoint import Saved, without_games
from pufftui.trainer.settings.choice import MOST_REWARD
from pufftui.trainer.settings.fields import Config
from pufftui.trainer.settings.sources import restore_settings
from pufftui.trainer.settings.tryout import try_out
from pufftui.trainer.training.ahead import Ahead
from pufftui.trainer.training.statistics import EpisodeStatistics

SEEDS_APART = 1_000_003
"""Between the seeds of two ranks."""


class TrainingSession:
    """The mutable state of a run. `step` counts agent steps, `epoch` collects and updates.

    `undoable` would change settings back that were changed while training, the last one last.
    """

    def __init__(
        self,
        config: Config,
        library: EnvLibrary,
        ranks: Ranks | None = None,
        *,
        resumed: bool = False,
    ) -> None:
        """Builds everything; with `ranks`, meets the others and takes this one's own seeds.

        If it is `resumed`, a state is put back next, and the environment need not be looked at first.
        """
        descriptor = library.descriptor_with(config.parameters)
        self.config = config
        self.undoable: list[SetField] = []
        self.ranks = ranks or Ranks()
        if config.train.overlap == "on" and self.ranks.size > 1:
            raise PuffError("train.overlap is for one process.", "Leave it off with several.")
        self.device = choose_device(config.run.device, self.ranks.local)
        self.ranks.begin(self.device)
        if kernels.is_gpu(self.device):
            torch.cuda.set_device(self.device)  # For this thread: kernels and graphs go there.
        self.threads = max(1, thread_count(config.vec.threads) // self.ranks.local_size)
        work_on(self.threads)
        own_seed = config.run.seed + self.ranks.rank * SEEDS_APART
        self.clock = Clock()
        self.generator = torch.Generator(self.device).manual_seed(own_seed)
        environments = math.ceil(config.vec.agents / descriptor.agents)
        # With a GPU one half of the environments steps while the policy decides for the other.
        self.vector = VectorEnv(
            library,
            config.parameters,
            environments=environments,
            groups=2 if kernels.is_gpu(self.device) and environments % 2 == 0 else 1,
            threads=self.threads,
            seed=own_seed,
        )
        dtype = product_dtype(config.train.precision, self.device)
        first_weights = torch.Generator().manual_seed(config.run.seed)
        self.policy = Policy(descriptor, config.policy, dtype, first_weights).to(self.device)
        self.observed: ObservedMoments | None = None
        """What the policy's normaliser follows, if it follows anything."""
        if self.policy.normaliser is not None and self.policy.normaliser.follows:
            self.observed = ObservedMoments(self.policy, self.policy.normaliser, self.ranks)
            if not resumed:
                tryout = try_out(library, config.parameters)
                self.observed.prime(
                    *map(torch.from_numpy, (tryout.observations, tryout.seen_alive))
                )
        self.optimizer = PolicyOptimizer(self.policy, config.train)
        self.collector = Collector(
            self.vector,
            self.policy,
            config.train.horizon,
            self.generator,
            self.clock,
            Storage(config.vec.observations) if self.device.type != "cpu" else Storage.SHARED,
        )
        self.ahead = Ahead(self.device, waits=config.vec.observations == "host")
        self.learner = Learner(
            *(self.policy, self.optimizer, self.generator, self.ranks),
            scaling=config.scales_rewards,
            stream=self.ahead.stream,
        )
        self._scale = RewardScale(config.train.reward_scale)
        self.statistics = EpisodeStatistics(descriptor.statistics)
        steps = self.vector.agents * config.train.horizon
        self.units_every = UNITS_EVERY * max(1, -(-UNITS_STEPS // (UNITS_EVERY * steps)))
        """Epochs from one look at the network's units to the next."""
        self.step = 0
        self.epoch = 0

    @property
    def parameters(self) -> int:
        """Trainable numbers in the policy."""
        return sum(parameter.numel() for parameter in self.policy.parameters())

    @property
    def reward_scale(self) -> float:
        """What rewards are multiplied by now: found while training, unless somebody gave a number."""
        config = self.config
        return self._scale.scale if config.scales_rewards else config.train.reward_scale

    @property
    def reward_limit(self) -> float:
        """What scaled rewards are clipped to, above and below zero."""
        return MOST_REWARD if self.config.scales_rewards else 1.0

    def follow_returns(self, figures: dict[str, float]) -> dict[str, float]:
        """Adapts the reward scale to a rollout, and the values to it; returns the other figures."""
        if self.config.scales_rewards:
            factor, shift = self._scale.follow(figures, self.config.train.gamma)
            self._move_values(factor, shift)
            self.ahead.follow(factor, shift, self.reward_limit)
        kept = {name: value for name, value in figures.items() if name not in RETURN_FIGURES}
        return kept | {"reward_scale": self.reward_scale}

    @property
    def shortfalls(self) -> list[str]:
        """What a GPU goes without, in words; complete after the first epoch."""
        unrecorded = self.collector.unrecorded or self.learner.unrecorded
        missing = kernels.missing(self.device)
        unfused = missing or self.collector.unfused or self.optimizer.unfused
        found = {"CUDA graphs": unrecorded, "fused kernels": unfused}
        return [f"{what}, more slowly: {why}" for what, why in found.items() if why]

    def games_are_finite(self) -> bool:
        """Whether a run could go on from the games in progress."""
        return self.collector.carries_finite()

    def not_finite(self) -> str:
        """Where a number came from that is not finite, as far as the last rollout tells."""
        return (
            self.collector.not_finite(self.ahead.rollout)
            or "the gradient (try a lower --train.learning-rate)"
        )

    def weights(self) -> PolicyWeights:
        """A copy of the policy that needs no torch."""
        arrays = {}
        for name, parameter in self.policy.state_dict().items():
            array = parameter.detach().float().cpu().numpy().copy()
            array.flags.writeable = False
            arrays[name] = array
        if self.config.scales_rewards:
            arrays = in_own_rewards(arrays, self.reward_scale)
        return weights_of(self.step, self.config.policy, arrays, self.vector.descriptor)

    def state(self) -> dict[str, NDArray[Any]]:
        """All that the future depends on, copied, by name; valid between epochs.

        A rollout that was collected ahead is no part of it, and is dropped: this run goes on as one that begins from here.
        """
        self.ahead.drop()
        tensors = {f"policy/{name}": value for name, value in self.policy.state_dict().items()}
        tensors |= {f"optimizer/{name}": value for name, value in self.optimizer.state().items()}
        tensors |= {f"rollout/{name}": value for name, value in self.collector.carried().items()}
        if self.observed is not None:
            tensors |= {f"observed/{name}": value for name, value in self.observed.state().items()}
        tensors["random/generator"] = self.generator.get_state()
        arrays: dict[str, NDArray[Any]] = {
            name: tensor.detach().cpu().numpy().copy() for name, tensor in tensors.items()
        }
        arrays["environments"] = np.frombuffer(self.vector.save(), np.uint8)
        arrays["build"] = np.frombuffer(self.vector.library.build, np.uint8)
        for name, value in self.statistics.state().items():
            arrays[f"statistics/{name}"] = value
        arrays["reward_scale"] = self._scale.state()
        arrays["progress"] = np.array([self.step, self.epoch], np.int64)
        return arrays

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> bool:
        """Puts back what `state` returned, into a session with the same config.

        Environments of another build of their library begin anew, for their memory may mean anything,
        and so do those that are not there; then it returns False.
        """
        self.ahead.drop()
        same = bytes(arrays.get("build", ())) == self.vector.library.build
        if not same:
            arrays = self.state() | without_games(arrays)

        self.policy.restore(_tensors(arrays, "policy"))
        if self.observed is not None:
            self.observed.restore(_tensors(arrays, "observed"))
        self.optimizer.restore(_tensors(arrays, "optimizer"))
        self.collector.restore(_tensors(arrays, "rollout"))
        self.generator.set_state(_tensors(arrays, "random")["generator"])
        self.vector.restore(arrays["environments"].tobytes())
        self.vector.drain()  # Episodes that finished in the time that is undone.
        self.statistics.restore(_section(arrays, "statistics"))
        if "reward_scale" in arrays:  # Not in checkpoints of before it was found.
            self._scale.restore(arrays["reward_scale"])
        self.step, self.epoch = (int(number) for number in arrays["progress"])
        return same

    def begin_from(self, saved: Saved) -> None:
        """Takes over what a policy has learned, before the first epoch; values keep their meaning.

        That is its weights, what its normaliser has seen, and the reward scale if both runs find theirs; the
        optimizer begins anew. `saved` holds arrays by `LEARNED`, and fits (`find_beginning`). Raises `PuffError` if it is damaged.
        """
        theirs = restore_settings(saved.description["config"], file=saved.path)
        arrays = saved.arrays
        try:
            self.policy.restore(_tensors(arrays, "policy"))
            if self.observed is not None and "observed/count" in arrays:
                self.observed.restore(_tensors(arrays, "observed"))
            if self.config.scales_rewards and theirs.scales_rewards and "reward_scale" in arrays:
                self._scale.restore(arrays["reward_scale"])
        except (RuntimeError, LookupError, ValueError, TypeError) as error:
            why = str(error).strip().splitlines()[-1].strip()
            raise PuffError(f"{saved.path.name} is damaged ({why}).", "Use another one.") from None
        there = float(saved.description.get("reward_scale", theirs.train.reward_scale))
        self._move_values(self.reward_scale / there)

    def _move_values(self, factor: float, shift: float = 0.0) -> None:
        """Makes each value, whatever is seen, `shift` more and then `factor` times as much."""
        heads = self.policy.heads
        with torch.no_grad():
            heads.bias[-1] += shift
            heads.weight[-1] *= factor
            heads.bias[-1] *= factor

    def restore_shared(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Puts back what all ranks have in common: policy, what it has observed, optimizer, progress.

        The environments of a rank other than the first are not in the checkpoint; they begin anew.
        """
        shared = ("policy/", "observed/", "optimizer/", "progress", "reward_scale")
        self.restore({name: arrays[name] for name in arrays if name.startswith(shared)})

    def close(self) -> None:
        """Frees the environments and leaves the other ranks."""
        self.vector.close()
        self.ranks.end()


def _section(arrays: Mapping[str, NDArray[Any]], name: str) -> dict[str, NDArray[Any]]:
    """The arrays whose names begin with `name/`, by the rest of their names."""
    prefix = f"{name}/"
    return {key[len(prefix) :]: arrays[key] for key in arrays if key.startswith(prefix)}


def _tensors(arrays: Mapping[str, NDArray[Any]], name: str) -> dict[str, torch.Tensor]:
    section = _section(arrays, name)
    return {key: torch.from_numpy(value.copy()) for key, value in section.items()}
