"""The memory of one rollout: what the environments write, what the policy reads, what is left to learn from."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum

import numpy as np
import torch
from torch import Tensor

from pufftui.envs.vector import StepBuffers, VectorEnv
from pufftui.trainer import kernels


@dataclass(frozen=True, slots=True, eq=False)
class Rollout:
    """What a rollout leaves for learning; time-major, all on the policy's device but perhaps `observations`.

    `observations` (horizon + 1, agents, bytes) uint8, `values` (horizon + 1, agents); the last row
    of both is what follows the rollout. The rest is (horizon, agents): `rewards` are scaled and
    clipped, `unclipped` scaled only, `final_values` hold V of the final observation where `truncations` is 1, `resets` marks
    steps that begin an episode. `state` is the recurrent state before the first step, and before it is reset there.
    """

    observations: Tensor
    actions: Tensor
    log_probabilities: Tensor
    values: Tensor
    final_values: Tensor
    rewards: Tensor
    unclipped: Tensor
    terminals: Tensor
    truncations: Tensor
    alive: Tensor
    resets: Tensor
    state: Tensor

    def tensors(self) -> tuple[Tensor, ...]:
        """All of it, in the order of the fields."""
        return tuple(getattr(self, field.name) for field in fields(self))

    def seen(self, rows: Tensor) -> Tensor:
        """What agents saw, (horizon, rows, bytes), on the device of `rows`; a GPU is waited for if it is elsewhere."""
        observations = self.observations[:-1]
        picked = observations.index_select(1, rows.to(observations.device))
        return picked.to(rows.device, non_blocking=True)


class Storage(Enum):
    """Where the observations of a rollout are."""

    SHARED = "shared"
    """Environments write where the policy reads: both are on the CPU."""
    DEVICE = "device"
    """Environments write one step at a time on the host; all steps are kept with the policy."""
    HOST = "host"
    """All steps are kept on the host, for GPUs with too little memory; the policy has one at a time."""


class RolloutMemory:
    """Every array of a rollout, at the same place in all rollouts.

    With shared storage the environments write straight into it. Else it is `staged`, as with a GPU: they
    write into host memory beside it, pinned if possible, and each of the pairs below is two arrays:

        written, read                 observations (slots, agents, bytes) uint8, a slot per step or one for all
        host_resets, resets           (horizon + 1, agents) uint8
        host_actions, actions         (horizon, agents, components) int32 or float32
        host_rewards, raw_rewards     (horizon, agents) float32
        host_flags, flags             (3, horizon, agents) uint8: terminals, truncations, alive

    `observations` is the one of the first pair that has a slot for every step. `finals` (agents, bytes) are the final observations of
    the step in which a group last truncated: of those in `truncated` (agents,), in step
    `truncated_steps` (groups,).
    """

    def __init__(
        self,
        vector: VectorEnv,
        horizon: int,
        state: Tensor,
        storage: Storage,
    ) -> None:
        """`state` is a policy's first, of all agents; all else is where that is."""
        descriptor, device = vector.descriptor, state.device
        agents, count = vector.agents, descriptor.observation_bytes
        components = len(descriptor.actions)
        self.horizon = horizon
        self.staged = staged = storage is not Storage.SHARED
        pinned = kernels.is_gpu(device)

        def host(*shape: int, dtype: torch.dtype) -> Tensor:
            return torch.zeros(shape, dtype=dtype, pin_memory=pinned)

        def there(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
            return torch.zeros(shape, dtype=dtype, device=device)

        def pair(*shape: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
            tensor = host(*shape, dtype=dtype)
            return tensor, there(*shape, dtype=dtype) if staged else tensor

        every, one = (horizon + 1, agents, count), (1, agents, count)
        match storage:
            case Storage.SHARED:
                self.written = self.read = self.observations = host(*every, dtype=torch.uint8)
            case Storage.DEVICE:
                self.written = host(*one, dtype=torch.uint8)
                self.read = self.observations = there(*every, dtype=torch.uint8)
            case Storage.HOST:
                self.written = self.observations = host(*every, dtype=torch.uint8)
                self.read = there(*one, dtype=torch.uint8)
        self.host_resets, self.resets = pair(horizon + 1, agents, dtype=torch.uint8)
        number = torch.float32 if vector.action_dtype is np.float32 else torch.int32
        self.host_actions, self.actions = pair(horizon, agents, components, dtype=number)
        self.host_rewards, self.raw_rewards = pair(horizon, agents, dtype=torch.float32)
        self.host_flags, self.flags = pair(3, horizon, agents, dtype=torch.uint8)
        self.finals = host(agents, count, dtype=torch.uint8)
        self.truncated = host(agents, dtype=torch.uint8)
        self.truncated_steps = host(vector.groups, dtype=torch.int32)
        self.unclipped, self.rewards = there(horizon, agents), there(horizon, agents)
        self.noise = there(horizon, agents, components)
        self.log_probabilities = there(horizon, agents)
        self.values, self.final_values = there(horizon + 1, agents), there(horizon, agents)
        self.state = torch.zeros_like(state)
        self._scaling = 1.0, 1.0
        self._scale, self._limit = torch.ones((), device=device), torch.ones((), device=device)

    def slot(self, memory: Tensor, step: int) -> Tensor:
        """A step's place in memory that has one for every step, or one for all."""
        return memory[step % len(memory)]

    def buffers(self, step: int, rows: slice) -> StepBuffers:
        """Where the environments of a group read and write in a step."""
        return StepBuffers.over(
            actions=self.host_actions[step, rows].numpy(),
            observations=self.slot(self.written, step + 1)[rows].numpy(),
            rewards=self.host_rewards[step, rows].numpy(),
            terminals=self.host_flags[0, step, rows].numpy(),
            truncations=self.host_flags[1, step, rows].numpy(),
            alive=self.host_flags[2, step, rows].numpy(),
            finals=self.finals[rows].numpy(),
        )

    def note_ends(self, step: int, rows: slice) -> None:
        """The environments have stepped: whoever's episode is over begins anew with the next step.

        So does who is not alive: what it remembers of that time is no part of the life that comes after it.
        """
        terminals, truncations, alive = self.host_flags[:, step, rows]
        ended = self.host_resets[step + 1, rows]
        torch.maximum(terminals, truncations, out=ended)
        torch.maximum(ended, 1 - alive, out=ended)

    def receive_observations(self, step: int, rows: slice) -> None:
        """Brings to the policy what a group's environments wrote; the first step has it from the last rollout."""
        if self.staged and step > 0:
            seen = self.slot(self.written, step)[rows]
            self.slot(self.read, step)[rows].copy_(seen, non_blocking=True)

    def receive_resets(self, step: int, rows: slice) -> None:
        """Brings to the policy whose episode has just begun."""
        if self.staged and step > 0:
            self.resets[step, rows].copy_(self.host_resets[step, rows], non_blocking=True)

    def advance(self) -> None:
        """Makes the end of this rollout the beginning of the next."""
        self.observations[0].copy_(self.observations[self.horizon])
        self.resets[0].copy_(self.resets[self.horizon])

    def scale_rewards(self, scale: float, limit: float) -> None:
        """Rewards are multiplied by `scale` from now on, and then clipped to +-`limit`."""
        if (scale, limit) != self._scaling:
            self._scaling = scale, limit
            self._scale.fill_(scale)
            self._limit.fill_(limit)

    def receive_rewards(self) -> None:
        """Brings rewards and flags to the policy, once the last step has been played, and scales rewards."""
        if self.staged:
            self.flags.copy_(self.host_flags, non_blocking=True)
            self.raw_rewards.copy_(self.host_rewards, non_blocking=True)
        torch.mul(self.raw_rewards, self._scale, out=self.unclipped)
        torch.clamp(self.unclipped, -self._limit, self._limit, out=self.rewards)

    def rollout(self) -> Rollout:
        """All of it."""
        return Rollout(
            observations=self.observations,
            actions=self.actions,
            log_probabilities=self.log_probabilities,
            values=self.values,
            final_values=self.final_values,
            rewards=self.rewards,
            unclipped=self.unclipped,
            terminals=self.flags[0],
            truncations=self.flags[1],
            alive=self.flags[2],
            resets=self.resets[: self.horizon],
            state=self.state,
        )
