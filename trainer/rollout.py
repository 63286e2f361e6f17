"""Collects experience: the memory of one rollout and the steps that fill it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pufftui.envs.descriptor import DType
from pufftui.envs.vector import StepBuffers, VectorEnv
from pufftui.trainer.actions import ActionDistribution
from pufftui.trainer.clock import Clock
from pufftui.trainer.policy import Policy


@dataclass(frozen=True, slots=True, eq=False)
class Rollout:
    """What a rollout leaves for learning; all on the policy's device, time-major.

    `observations` (horizon + 1, agents, bytes) uint8, `values` (horizon + 1, agents); the last row
    of both is what follows the rollout. The rest is (horizon, agents): `rewards` are scaled and
    clipped, `unclipped` scaled only, `final_values` hold V of the final observation where `truncations` is 1, `resets` marks
    steps that begin an episode. `state` is the recurrent state before the first step.
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


class Collector:
    """Owns the rollout's memory and steps policy and environments through it.

    On the CPU the environments write straight into the rollout; with a GPU they write into pinned
    memory, which is copied over one step at a time.
    """

    def __init__(
        self,
        vector: VectorEnv,
        policy: Policy,
        horizon: int,
        device: torch.device,
        generator: torch.Generator,
        clock: Clock,
    ) -> None:
        self.vector = vector
        self.policy = policy
        self.horizon = horizon
        self.device = device
        self.generator = generator
        self.clock = clock
        self.distribution = ActionDistribution(policy.descriptor)
        agents, count = vector.agents, policy.descriptor.observation_bytes
        components = len(policy.descriptor.actions)
        on_gpu = device.type == "cuda"

        def host(*shape: int, dtype: torch.dtype) -> Tensor:
            return torch.zeros(shape, dtype=dtype, pin_memory=on_gpu)

        action_dtype = torch.float32 if self.distribution.continuous else torch.int32
        slots = 1 if on_gpu else horizon + 1
        self._host_observations = host(slots, agents, count, dtype=torch.uint8)
        self._host_actions = host(horizon, agents, components, dtype=action_dtype)
        self._raw_rewards = host(horizon, agents, dtype=torch.float32)
        self._flags = host(3, horizon, agents, dtype=torch.uint8)  # terminals, truncations, alive
        self._finals = host(agents, count, dtype=torch.uint8)
        self._observations = (
            torch.zeros((horizon + 1, agents, count), dtype=torch.uint8, device=device)
            if on_gpu
            else self._host_observations
        )
        self._log_probabilities = torch.zeros(horizon, agents, device=device)
        self._values = torch.zeros(horizon + 1, agents, device=device)
        self._final_values = torch.zeros(horizon, agents, device=device)
        self._resets = torch.zeros(horizon + 1, agents, dtype=torch.uint8, device=device)
        self.state = policy.initial_state(agents)
        self._steps = [self._buffers(step) for step in range(horizon)]
        self._begin()

    def collect(self, reward_scale: float, interrupted: Callable[[], bool]) -> Rollout | None:
        """Fills the memory with one rollout; None if `interrupted` said so on the way.

        The rollout shares its memory with the collector: it is valid until the next call.
        """
        initial_state = self.state
        with torch.inference_mode():
            for step in range(self.horizon):
                if interrupted():
                    return None
                self._act(step)
                with self.clock.part("env"):
                    truncated = self.vector.step(0, self._steps[step])
                with self.clock.part("copy"):
                    self._receive(step)
                if truncated:
                    with self.clock.part("forward"):
                        self._value_finals(step)
                with self.clock.part("forward"):
                    self._reset_states(step)
            with self.clock.part("forward"):
                _, values, _ = self.policy.step(self._observations[self.horizon], self.state)
                self._values[self.horizon] = values
        return self._rollout(initial_state, reward_scale)

    def not_finite(self) -> str:
        """The first place in the environments' output that is not a finite number, in words."""
        per_env = self.policy.descriptor.agents

        def words(what: str, agent: int) -> str:
            return f"{what} of agent {agent % per_env} in environment {agent // per_env}"

        bad = (~torch.isfinite(self._raw_rewards)).nonzero()
        if len(bad):
            return words("the reward", int(bad[0, 1]))
        for field in self.policy.descriptor.fields:
            if field.dtype is not DType.FLOAT32:
                continue
            end = field.offset + 4 * field.count
            numbers = self._observations[..., field.offset : end].contiguous().view(torch.float32)
            bad = (~torch.isfinite(numbers)).nonzero()
            if len(bad):
                what = f"observation {field.name}[{int(bad[0, 2])}]"
                return words(what, int(bad[0, 1]))
        return ""

    def advance(self) -> None:
        """Makes the end of this rollout the beginning of the next."""
        self._observations[0].copy_(self._observations[self.horizon])
        self._resets[0].copy_(self._resets[self.horizon])

    def carried(self) -> dict[str, Tensor]:
        """What the next rollout depends on beside policy, environments and random numbers."""
        return {
            "observations": self._observations[0],
            "resets": self._resets[0],
            "state": self.state,
        }

    def restore(self, carried: dict[str, Tensor]) -> None:
        """Puts back what `carried` returned."""
        self._observations[0].copy_(carried["observations"])
        self._resets[0].copy_(carried["resets"])
        self.state = carried["state"].to(self.device)

    def _begin(self) -> None:
        self.vector.reset(0, self._steps[self.horizon - 1])
        self._receive_observations(self.horizon - 1)
        self._resets.fill_(1)
        self.advance()

    def _act(self, step: int) -> None:
        with self.clock.part("forward"):
            outputs, values, self.state = self.policy.step(self._observations[step], self.state)
            actions, log_probabilities = self.distribution.sample(
                outputs, self.policy.log_std, self.generator
            )
            self._values[step] = values
            self._log_probabilities[step] = log_probabilities
        with self.clock.part("copy"):
            self._host_actions[step].copy_(actions)

    def _receive(self, step: int) -> None:
        self._receive_observations(step)
        ended = torch.maximum(self._flags[0, step], self._flags[1, step])
        self._resets[step + 1].copy_(ended, non_blocking=True)

    def _receive_observations(self, step: int) -> None:
        if self.device.type == "cuda":
            self._observations[step + 1].copy_(self._host_observations[0], non_blocking=True)

    def _value_finals(self, step: int) -> None:
        rows = self._flags[1, step].nonzero().squeeze(-1)
        observations = self._finals[rows].to(self.device)
        rows = rows.to(self.device)
        _, values, _ = self.policy.step(observations, self.state[:, :, rows])
        self._final_values[step, rows] = values

    def _reset_states(self, step: int) -> None:
        if self.state.numel():
            keep = 1 - self._resets[step + 1].float()
            self.state = self.state * keep.unsqueeze(-1)

    def _buffers(self, step: int) -> StepBuffers:
        observations = self._host_observations[0 if self.device.type == "cuda" else step + 1]
        return StepBuffers.over(
            actions=self._host_actions[step].numpy(),
            observations=observations.numpy(),
            rewards=self._raw_rewards[step].numpy(),
            terminals=self._flags[0, step].numpy(),
            truncations=self._flags[1, step].numpy(),
            alive=self._flags[2, step].numpy(),
            finals=self._finals.numpy(),
        )

    def _rollout(self, initial_state: Tensor, reward_scale: float) -> Rollout:
        with self.clock.part("copy"):
            flags = self._flags.to(self.device, non_blocking=True)
            rewards = self._raw_rewards.to(self.device, non_blocking=True)
            actions = self._host_actions.to(self.device, non_blocking=True)
        unclipped = rewards * reward_scale
        return Rollout(
            observations=self._observations,
            actions=actions,
            log_probabilities=self._log_probabilities,
            values=self._values,
            final_values=self._final_values,
            rewards=unclipped.clamp(-1, 1),
            unclipped=unclipped,
            terminals=flags[0],
            truncations=flags[1],
            alive=flags[2],
            resets=self._resets[: self.horizon],
            state=initial_state,
        )
