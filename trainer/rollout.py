"""Collects experience: the memory of one rollout and the steps that fill it."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pufftui.envs.descriptor import DType, Field
from pufftui.envs.vector import StepBuffers, VectorEnv
from pufftui.trainer.actions import ActionDistribution
from pufftui.trainer.clock import Clock
from pufftui.trainer.graphs import Function, recorded
from pufftui.trainer.policy import Policy

MOST_RECORDINGS = 1024
"""Each takes some hundred kilobytes and, at the start, some milliseconds."""


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

    def seen(self, rows: Tensor) -> Tensor:
        """What agents saw, (horizon, rows, bytes), on the device of `rows`; a GPU is waited for if it is elsewhere."""
        observations = self.observations[:-1]
        picked = observations.index_select(1, rows.to(observations.device))
        return picked.to(rows.device, non_blocking=True)


class Group:
    """Agents that are stepped together: their rows of every array and the policy's state for them."""

    def __init__(self, number: int, agents: int, state: Tensor) -> None:
        self.number = number
        self.rows = slice(number * agents, (number + 1) * agents)
        self.steps: list[StepBuffers] = []
        """Where the environments read and write, step by step."""
        self.decide: list[Function] = []
        """The policy's decision, step by step."""
        self.state = state
        self.decided = torch.cuda.Event() if state.is_cuda else None
        """When the actions of the step in hand are where the environments read them."""


class Collector:
    """Owns the rollout's memory and steps policy and environments through it.

    On the CPU the environments write straight into the rollout. If `staged`, as with a GPU, they
    write into memory beside it, pinned if possible, which is copied over one step at a time; with
    several groups of environments the policy then decides for one while another steps. If also `on_host`,
    the rollout's observations stay there, and only the newest are copied.
    """

    def __init__(
        self,
        vector: VectorEnv,
        policy: Policy,
        horizon: int,
        generator: torch.Generator,
        clock: Clock,
        *,
        staged: bool,
        on_host: bool = False,
    ) -> None:
        self.vector = vector
        self.policy = policy
        self._deciding = policy.for_deciding()
        self.horizon = horizon
        self.generator = generator
        self.device = generator.device
        self.clock = clock
        self.distribution = ActionDistribution(policy.descriptor)
        self.unrecorded = ""
        """Why the policy's steps are not recorded as CUDA graphs, though there is a GPU."""
        self._staged = staged
        agents, count = vector.agents, policy.descriptor.observation_bytes
        components = len(policy.descriptor.actions)

        def host(*shape: int, dtype: torch.dtype) -> Tensor:
            return torch.zeros(shape, dtype=dtype, pin_memory=self.device.type == "cuda")

        def beside(tensor: Tensor, *shape: int) -> Tensor:
            return torch.zeros(shape, dtype=tensor.dtype, device=self.device) if staged else tensor

        action_dtype = torch.float32 if self.distribution.continuous else torch.int32
        on_host = on_host and staged
        slots = 1 if staged and not on_host else horizon + 1
        self._written = host(slots, agents, count, dtype=torch.uint8)
        self._read = beside(self._written, 1 if on_host else horizon + 1, agents, count)
        self._observations = self._written if on_host else self._read
        self._host_resets = host(horizon + 1, agents, dtype=torch.uint8)
        self._resets = beside(self._host_resets, horizon + 1, agents)
        self._host_actions = host(horizon, agents, components, dtype=action_dtype)
        self._raw_rewards = host(horizon, agents, dtype=torch.float32)
        self._flags = host(3, horizon, agents, dtype=torch.uint8)  # terminals, truncations, alive
        self._finals = host(agents, count, dtype=torch.uint8)
        self._noise = torch.zeros(horizon, agents, components, device=self.device)
        self._log_probabilities = torch.zeros(horizon, agents, device=self.device)
        self._values = torch.zeros(horizon + 1, agents, device=self.device)
        self._final_values = torch.zeros(horizon, agents, device=self.device)
        self._groups = [self._group(number) for number in range(vector.groups)]
        self._begin()
        if self.device.type == "cuda":
            self._record(torch.cuda.graph_pool_handle())

    def collect(self, reward_scale: float, interrupted: Callable[[], bool]) -> Rollout | None:
        """Fills the memory with one rollout; None if `interrupted` said so on the way.

        The rollout shares its memory with the collector: it is valid until the next call.
        """
        initial_state, agents = self.state, self.vector.agents
        with torch.inference_mode():
            self._deciding.follow(self.policy)
            self._noise.copy_(self.distribution.noise(self.horizon, agents, self.generator))
            for group in self._groups:
                self._act(0, group)
            for step in range(self.horizon):
                if interrupted():
                    return None
                for group in self._groups:
                    self._advance_environments(step, group)
                    if step + 1 < self.horizon:
                        self._act(step + 1, group)
            with self.clock.part("forward"):
                for group in self._groups:
                    self._look(self.horizon, group)
        return self._rollout(initial_state, reward_scale)

    @property
    def state(self) -> Tensor:
        """The recurrent state of all agents, copied: (layers, parts, agents, hidden)."""
        return torch.cat([group.state for group in self._groups], dim=2)

    def not_finite(self) -> str:
        """The first place in what the policy was given that is not a finite number, in words."""
        per_env = self.policy.descriptor.agents

        def words(what: str, agent: int) -> str:
            return f"{what} of agent {agent % per_env} in environment {agent // per_env}"

        bad = (~torch.isfinite(self._raw_rewards)).nonzero()
        if len(bad):
            return words("the reward", int(bad[0, 1]))
        for field in self.policy.descriptor.fields:
            if field.dtype is not DType.FLOAT32:
                continue
            bad = (~torch.isfinite(self._numbers(field, self._observations))).nonzero()
            if len(bad):
                what = f"observation {field.name}[{int(bad[0, 2])}]"
                return words(what, int(bad[0, 1]))
        bad = (~torch.isfinite(self.state)).nonzero()
        return words("the policy's memory", int(bad[0, 2])) if len(bad) else ""

    def carries_finite(self) -> bool:
        """Whether what the next rollout begins with, memory and observations, is finite."""
        if not bool(torch.isfinite(self.state).all()):
            return False
        return all(
            bool(torch.isfinite(self._numbers(field, self._observations[0])).all())
            for field in self.policy.descriptor.fields
            if field.dtype is DType.FLOAT32
        )

    def _numbers(self, field: Field, observations: Tensor) -> Tensor:
        """A field of floats, (..., count), of observations (..., bytes)."""
        end = field.offset + 4 * field.count
        return observations[..., field.offset : end].contiguous().view(torch.float32)

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
        self._read[0].copy_(self._observations[0])
        self._resets[0].copy_(carried["resets"])
        state = carried["state"].to(self.device)
        for group in self._groups:
            self._keep(group, state[:, :, group.rows].clone())

    def _group(self, number: int) -> Group:
        agents = self.vector.group_agents
        group = Group(number, agents, self.policy.initial_state(agents))
        for step in range(self.horizon):
            group.steps.append(self._buffers(step, group.rows))
            group.decide.append(functools.partial(self._decide, step, group))
        return group

    def _record(self, pool: Any) -> None:
        """Records the decisions as CUDA graphs, one for each step and group, since each has its places."""
        if self.horizon * len(self._groups) > MOST_RECORDINGS:
            self.unrecorded = f"{self.horizon} steps of train.horizon are too many"
        with torch.inference_mode():
            for step, group in itertools.product(range(self.horizon), self._groups):
                if not self.unrecorded:
                    group.decide[step], self.unrecorded = recorded(group.decide[step], pool=pool)
            for group in self._groups:
                group.state.zero_()  # Recording tries the decisions.

    def _begin(self) -> None:
        for group in self._groups:
            self.vector.reset(group.number, group.steps[-1])
            self._receive_observations(self.horizon - 1, group.rows)
        self._resets.fill_(1)
        self.advance()

    def _decide(self, step: int, group: Group) -> tuple[Tensor, ...]:
        """Actions as the environments read them; all else goes to its place."""
        outputs, state = self._look(step, group)
        self._keep(group, state)
        noise = self._noise[step, group.rows]
        actions, log_probabilities = self.distribution.sample(outputs, self.policy.log_std, noise)
        self._log_probabilities[step, group.rows] = log_probabilities
        return (actions.to(self._host_actions.dtype),)

    def _look(self, step: int, group: Group) -> tuple[Tensor, Tensor]:
        """Values what a group sees, its state being reset where it has to be; action parameters, next state."""
        rows = group.rows
        if group.state.numel():
            # Filled, not multiplied: a state that is not finite ends with its episode.
            group.state.masked_fill_(self._resets[step, rows].bool().unsqueeze(-1), 0)
        outputs, values, state = self._deciding.step(_slot(self._read, step)[rows], group.state)
        self._values[step, rows] = values
        return outputs, state

    def _keep(self, group: Group, state: Tensor) -> None:
        """Where decisions are recorded, the state stays at its place."""
        if self._staged:
            group.state.copy_(state)
        else:
            group.state = state

    def _act(self, step: int, group: Group) -> None:
        with self.clock.part("forward"):
            (actions,) = group.decide[step]()
        with self.clock.part("copy"):
            self._host_actions[step, group.rows].copy_(actions, non_blocking=True)
            if group.decided is not None:
                group.decided.record()

    def _advance_environments(self, step: int, group: Group) -> None:
        """One step of a group once its actions are there, and what has to be known of it."""
        if group.decided is not None:
            with self.clock.part("forward"):
                group.decided.synchronize()
        with self.clock.part("env"):
            truncated = self.vector.step(group.number, group.steps[step])
        with self.clock.part("copy"):
            self._receive(step, group.rows)
        if truncated:
            with self.clock.part("forward"):
                self._value_finals(step, group)

    def _receive(self, step: int, rows: slice) -> None:
        self._receive_observations(step, rows)
        ended = self._host_resets[step + 1, rows]
        torch.maximum(self._flags[0, step, rows], self._flags[1, step, rows], out=ended)
        if self._staged:
            self._resets[step + 1, rows].copy_(ended, non_blocking=True)

    def _receive_observations(self, step: int, rows: slice) -> None:
        if self._staged:
            seen = _slot(self._written, step + 1)[rows]
            _slot(self._read, step + 1)[rows].copy_(seen, non_blocking=True)

    def _value_finals(self, step: int, group: Group) -> None:
        which = self._flags[1, step, group.rows].nonzero().squeeze(-1)
        observations = self._finals[group.rows][which].to(self.device)
        which = which.to(self.device)
        _, values, _ = self._deciding.step(observations, group.state[:, :, which])
        self._final_values[step, group.rows.start + which] = values

    def _buffers(self, step: int, rows: slice) -> StepBuffers:
        observations = _slot(self._written, step + 1)[rows]
        return StepBuffers.over(
            actions=self._host_actions[step, rows].numpy(),
            observations=observations.numpy(),
            rewards=self._raw_rewards[step, rows].numpy(),
            terminals=self._flags[0, step, rows].numpy(),
            truncations=self._flags[1, step, rows].numpy(),
            alive=self._flags[2, step, rows].numpy(),
            finals=self._finals[rows].numpy(),
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


def _slot(memory: Tensor, step: int) -> Tensor:
    """A step's place in memory that has one for every step, or one for all."""
    return memory[step % len(memory)]
