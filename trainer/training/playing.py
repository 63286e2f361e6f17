"""A policy that plays without learning, by what collects rollouts: the same kernels, graphs and memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from pufftui.envs.vector import VectorEnv
from pufftui.trainer import kernels
from pufftui.trainer.collecting.clock import Clock
from pufftui.trainer.collecting.collector import Collector
from pufftui.trainer.collecting.rollout import Storage
from pufftui.trainer.kernels.threads import work_on
from pufftui.trainer.messages.weights import PolicyWeights
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.ppo.device import choose_device, product_dtype
from pufftui.trainer.settings.fields import PolicyConfig


def policy_of(
    weights: PolicyWeights, vector: VectorEnv, precision: str, device: torch.device
) -> Policy:
    """The network with these weights, for playing only; `precision` as the setting."""
    config = PolicyConfig(
        memory=weights.memory,
        hidden=weights.hidden,
        layers=weights.layers,
        convolution=weights.convolution,
        normalise="on" if "normaliser.scales" in weights.arrays else "off",
    )
    dtype = product_dtype(precision, device)
    policy = Policy(vector.descriptor, config, dtype, torch.Generator().manual_seed(0))
    policy.restore({name: torch.from_numpy(array.copy()) for name, array in weights.arrays.items()})
    return policy.requires_grad_(False).to(device)


def storage_on(device: torch.device) -> Storage:
    """Where a rollout's observations are, for a policy there."""
    return Storage.SHARED if device.type == "cpu" else Storage.DEVICE


class RolloutPlayer:
    """Plays all worlds of a vector by rollouts of `steps` steps each, which nobody learns from."""

    def __init__(
        self,
        vector: VectorEnv,
        seed: int,
        weights: PolicyWeights,
        *,
        steps: int,
        precision: str = "auto",
        device: str = "cpu",
    ) -> None:
        """`seed` is that of the policy's own chance; the rest as the settings. Raises as `choose_device`.

        The policy has as many threads as the environments.
        """
        self.vector = vector
        self._steps = steps
        self._device = choose_device(device)
        # On a GPU all graphs are recorded anew then, and a few worlds more cost next to nothing.
        self.room = 0.6 if self._device.type == "cpu" else 0.25
        if kernels.is_gpu(self._device):
            torch.cuda.set_device(self._device)
        work_on(vector.threads)
        self._generator = torch.Generator(self._device).manual_seed(seed)
        self._policy = policy_of(weights, vector, precision, self._device)
        self._collector = self._collect_from(vector)

    def play(self, steps: int, interrupted: Callable[[], bool]) -> bool:
        """Plays as many steps as it was made for, which `steps` repeats."""
        assert steps == self._steps
        if self._collector.collect(1.0, interrupted) is None:
            return False
        self._collector.advance()
        return True

    def only(self, places: NDArray[np.intp]) -> Self:
        """Goes on with the worlds at some places alone."""
        rows = torch.from_numpy(self.vector.rows(places))
        carried = self._collector.carried()
        there = rows.to(self._device)
        kept = {
            "observations": carried["observations"].index_select(
                0, rows.to(carried["observations"].device)
            ),
            "resets": carried["resets"].index_select(0, there),
            "state": carried["state"].index_select(2, there),
        }
        vector = self.vector.only(places)
        games = vector.save()
        self.vector.close()
        self._collector, self.vector = self._collect_from(vector), vector
        # A collector begins with games of its own.
        vector.restore(games)
        self._collector.restore(kept)
        return self

    def close(self) -> None:
        """Frees the worlds."""
        self.vector.close()

    def _collect_from(self, vector: VectorEnv) -> Collector:
        storage = storage_on(self._device)
        return Collector(vector, self._policy, self._steps, self._generator, Clock(), storage)
