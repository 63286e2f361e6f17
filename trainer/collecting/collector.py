"""Collects experience: steps policy and environments through a rollout's memory."""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor

from pufftui.envs.descriptor import DType
from pufftui.envs.vector import VectorEnv
from pufftui.trainer import kernels
from pufftui.trainer.collecting.clock import Clock
from pufftui.trainer.collecting.cpu_decision import CpuDecision
from pufftui.trainer.collecting.cpu_steps import CpuSteps, block_functions
from pufftui.trainer.collecting.decision import Group, decision_for
from pufftui.trainer.collecting.gpu_steps import GpuSteps, open_driver
from pufftui.trainer.collecting.graphs import WARM_UPS, Recorded, recorded
from pufftui.trainer.collecting.rollout import Rollout, RolloutMemory, Storage
from pufftui.trainer.network.actions import ActionDistribution
from pufftui.trainer.network.normaliser import numbers
from pufftui.trainer.network.policy import Policy

MOST_RECORDINGS = 1024
"""Each takes some hundred kilobytes and, at the start, some milliseconds."""


Work = Callable[[], object]
"""Does something to tensors that stay at their places; what it returns means nothing."""


class Collector:
    """Owns the rollout's memory and steps policy and environments through it.

    With several groups of environments the policy decides for one while another steps.
    """

    def __init__(
        self,
        vector: VectorEnv,
        policy: Policy,
        horizon: int,
        generator: torch.Generator,
        clock: Clock,
        storage: Storage,
    ) -> None:
        """`storage` as for `RolloutMemory`; the policy's device is the generator's."""
        self.vector = vector
        self.policy = policy
        self.horizon = horizon
        self.generator = generator
        self.device = generator.device
        self.clock = clock
        self.distribution = ActionDistribution(policy.descriptor)
        self.unrecorded = ""
        """Why the policy's steps are not recorded as CUDA graphs, though there is a GPU."""
        state = policy.initial_state(vector.agents)
        self.memory = RolloutMemory(vector, horizon, state, storage)
        agents = vector.group_agents
        self.groups = [
            Group(number, agents, policy.initial_state(agents)) for number in range(vector.groups)
        ]
        self.decision, self.unfused = decision_for(policy, self.memory, self.groups[0])
        self._buffers = [
            [self.memory.buffers(step, group.rows) for group in self.groups]
            for step in range(horizon)
        ]
        self._decide: list[list[Work]] = [
            [functools.partial(self._decided, step, group) for group in self.groups]
            for step in range(horizon + 1)
        ]
        self._final_values: list[Work] = [
            functools.partial(self._finals, group) for group in self.groups
        ]
        """Kept here once they are recorded: the steps outside Python have only the handles of the graphs."""
        self._start: Work = self._started
        self._finish: Work = self.memory.receive_rewards
        self._advance: Work = self.memory.advance
        on_gpu = kernels.is_gpu(self.device)
        self._decided_at = [torch.cuda.Event() if on_gpu else None for _ in self.groups]
        """When the actions of the step in hand are where the environments read them."""
        self._streams: list[torch.cuda.Stream] = []
        self._steps: GpuSteps | CpuSteps | None = None
        self._begin()
        if isinstance(self.decision, CpuDecision) and (functions := block_functions(vector)):
            self._steps = CpuSteps(
                *(functions, vector, self.decision, self.memory, self.groups, self._buffers)
            )
        if on_gpu:
            self._streams = [torch.cuda.Stream(self.device) for _ in self.groups]
            self.record([stream.cuda_stream for stream in self._streams], open_driver())

    def collect(
        self, reward_scale: float, interrupted: Callable[[], bool], *, reward_limit: float = 1.0
    ) -> Rollout | None:
        """Fills the memory with one rollout, as `begin` and `play` say."""
        self.begin(reward_scale, reward_limit)
        return self.play(interrupted)

    def begin(self, reward_scale: float, reward_limit: float = 1.0) -> None:
        """Takes over the policy as it is now. Rewards will be scaled, then clipped to +-`reward_limit`."""
        memory = self.memory
        memory.scale_rewards(reward_scale, reward_limit)
        with torch.inference_mode():
            self._start()
            noise = memory.noise
            steps, agents, _ = noise.shape
            self.distribution.noise(steps, agents, self.generator, out=noise)

    def play(self, interrupted: Callable[[], bool]) -> Rollout | None:
        """Fills the memory with the rollout that was begun; None if `interrupted` said so on the way.

        On a GPU the policy may change meanwhile; on a CPU its last layer is read where it is.
        The rollout shares its memory with the collector: it is valid until the next one begins.
        """
        memory = self.memory
        with torch.inference_mode():
            play = self._play_outside_python if self._steps else self._play
            if not play(interrupted):
                return None
            with self.clock.part("copy"):
                self._finish()
        return memory.rollout()

    @property
    def state(self) -> Tensor:
        """The recurrent state of all agents, copied: (layers, parts, agents, hidden)."""
        return torch.cat([group.state for group in self.groups], dim=2)

    def not_finite(self, rollout: Rollout | None = None) -> str:
        """The first place in what the policy was given that is not a finite number, in words.

        Of a rollout that was kept, or of the last one.
        """
        rewards = self.memory.host_rewards if rollout is None else rollout.unclipped
        observations = self.memory.observations if rollout is None else rollout.observations
        per_env = self.policy.descriptor.agents

        def words(what: str, agent: int) -> str:
            return f"{what} of agent {agent % per_env} in environment {agent // per_env}"

        bad = (~torch.isfinite(rewards)).nonzero()
        if len(bad):
            return words("the reward", int(bad[0, 1]))
        for field in self.policy.descriptor.fields:
            if field.dtype is not DType.FLOAT32:
                continue
            bad = (~torch.isfinite(numbers(field, observations))).nonzero()
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
            bool(torch.isfinite(numbers(field, self.memory.observations[0])).all())
            for field in self.policy.descriptor.fields
            if field.dtype is DType.FLOAT32
        )

    def advance(self) -> None:
        """Makes the end of this rollout the beginning of the next."""
        with torch.inference_mode():
            self._advance()

    def carried(self) -> dict[str, Tensor]:
        """What the next rollout depends on beside policy, environments and random numbers."""
        return {
            "observations": self.memory.observations[0],
            "resets": self.memory.resets[0],
            "state": self.state,
        }

    def restore(self, carried: dict[str, Tensor]) -> None:
        """Puts back what `carried` returned."""
        memory = self.memory
        memory.observations[0].copy_(carried["observations"])
        memory.read[0].copy_(memory.observations[0])
        memory.resets[0].copy_(carried["resets"])
        state = carried["state"].to(self.device)
        with torch.inference_mode():
            for group in self.groups:
                group.state.copy_(state[:, :, group.rows])  # Where calls are prepared, it stays.

    def record(self, streams: list[int], driver: object | None) -> None:
        """Records the decisions as CUDA graphs, one for each step and group, since each has its places.

        With the driver's functions the steps then leave Python. Groups have memory of their own, for they
        decide on streams of their own.
        """
        if self.horizon * len(self.groups) > MOST_RECORDINGS:
            self.unrecorded = f"{self.horizon} steps of train.horizon are too many"
        pools = [graph_pool(self.device) for _ in self.groups]
        with torch.inference_mode():
            for group in self.groups:
                number = group.number
                for step in range(self.horizon + 1):
                    # Nothing is new to the libraries after the first ones.
                    warm_ups = WARM_UPS if step in (0, 1, self.horizon) else 1
                    work = self._decide[step][number]
                    self._decide[step][number] = self._recorded(
                        work, pools[number], warm_ups, number
                    )
                finals = self._final_values[number]
                self._final_values[number] = self._recorded(finals, pools[number], WARM_UPS, number)
                group.state.zero_()  # Recording tries the decisions.
            # On the way from step to step Python holds up what wants its lock; so it does few things there.
            pool = graph_pool(self.device)
            self._start = self._recorded(self._start, pool, WARM_UPS)
            self._finish = self._recorded(self._finish, pool, WARM_UPS)
            first = {name: tensor.clone() for name, tensor in self.carried().items()}
            self._advance = self._recorded(self._advance, pool, WARM_UPS)
            self.restore(first)
        rows = [*self._decide, self._final_values]
        handles = [
            [work.recording.handle for work in row if isinstance(work, Recorded)] for row in rows
        ]
        if driver is not None and all(len(row) == len(self.groups) and all(row) for row in handles):
            self._steps = GpuSteps(
                driver,
                self.vector,
                self.memory,
                self._buffers,
                streams=streams,
                decisions=handles[:-1],
                final_values=handles[-1],
            )

    def _recorded(self, work: Work, pool: object, warm_ups: int, group: int | None = None) -> Work:
        """The work as a CUDA graph, that of a group on its stream, or itself once one could not be recorded."""
        stream = self._streams[group] if group is not None and self._streams else None

        def function() -> tuple[Tensor, ...]:
            work()
            return ()

        if self.unrecorded:
            return work
        graph, self.unrecorded = recorded(function, pool=pool, warm_ups=warm_ups, stream=stream)
        return work if self.unrecorded else graph

    def _begin(self) -> None:
        for group in self.groups:
            self.vector.reset(group.number, self._buffers[-1][group.number])
            self.memory.receive_observations(self.horizon, group.rows)
        self.memory.resets.fill_(1)
        self.advance()

    def _decided(self, step: int, group: Group) -> None:
        """One decision, or behind the last step a look at what follows."""
        if step < self.horizon:
            self.decision.decide(step, group)
        else:
            self.decision.look(step, group)

    def _started(self) -> None:
        """What a rollout begins with: the newest weights, and the state that learning begins with."""
        self.decision.follow()
        for group in self.groups:
            self.memory.state[:, :, group.rows].copy_(group.state)

    def _finals(self, group: Group) -> None:
        self.decision.look_at_finals(group)

    def _play_outside_python(self, interrupted: Callable[[], bool]) -> bool:
        assert self._steps is not None
        for stream in self._streams:
            stream.wait_stream(torch.cuda.current_stream())
        try:
            return self._steps.play(self.clock, interrupted)
        finally:
            for stream in self._streams:
                torch.cuda.current_stream().wait_stream(stream)

    def _play(self, interrupted: Callable[[], bool]) -> bool:
        for group in self.groups:
            self._act(0, group)
        for step in range(self.horizon):
            if interrupted():
                return False
            for group in self.groups:
                self._advance_environments(step, group)
                self._act(step + 1, group)
        return True

    def _act(self, step: int, group: Group) -> None:
        with self.clock.part("forward"):
            self._decide[step][group.number]()
            event = self._decided_at[group.number]
            if event is not None:
                event.record()

    def _advance_environments(self, step: int, group: Group) -> None:
        """One step of a group once its actions are there, and what has to be known of it."""
        event = self._decided_at[group.number]
        if event is not None:
            with self.clock.part("forward"):
                event.synchronize()
        with self.clock.part("env"):
            truncated = self.vector.step(group.number, self._buffers[step][group.number])
        self.memory.note_ends(step, group.rows)
        if truncated:
            with self.clock.part("forward"):
                self._value_finals(step, group)

    def _value_finals(self, step: int, group: Group) -> None:
        """Of those alone who were truncated; outside Python it is done by `Decision.look_at_finals`."""
        memory = self.memory
        which = memory.host_flags[1, step, group.rows].nonzero().squeeze(-1)
        observations = memory.finals[group.rows][which].to(self.device)
        which = which.to(self.device)
        values = self.decision.values(observations, group.state[:, :, which])
        memory.final_values[step, group.rows.start + which] = values


def graph_pool(device: torch.device) -> object:
    """Memory for graphs that run one after the other."""
    return torch.cuda.graph_pool_handle() if kernels.is_gpu(device) else None
