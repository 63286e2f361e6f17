"""A policy deciding for agents while a rollout is collected: by torch's operations, or as one kernel on a GPU."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

import torch
from torch import Tensor, nn

from pufftui.trainer import kernels
from pufftui.trainer.collecting.rollout import RolloutMemory
from pufftui.trainer.collecting.step_in_parts import Step, StepInParts
from pufftui.trainer.network.actions import ActionDistribution
from pufftui.trainer.network.cells import CellEncoder
from pufftui.trainer.network.policy import LSTM, MinGRU, Policy

MOST_COMPONENTS = 16
"""Components of an action that one kernel draws."""


class Group:
    """Agents that are stepped together: their rows of every array, and the policy's state for them."""

    def __init__(self, number: int, agents: int, state: Tensor) -> None:
        self.number = number
        self.rows = slice(number * agents, (number + 1) * agents)
        self.state = state


class Decision(Protocol):
    """Decides in the places of a rollout's memory, for one group at one step."""

    def follow(self) -> None:
        """Takes over the policy's newest weights."""

    def decide(self, step: int, group: Group) -> None:
        """Fills the step's actions, log-probabilities and values; the group's state moves on."""

    def look(self, step: int, group: Group) -> None:
        """Fills the step's values only."""

    def values(self, observations: Tensor, state: Tensor) -> Tensor:
        """V (rows,) of observations (rows, bytes) with states (layers, parts, rows, hidden), no rollout's."""

    def look_at_finals(self, group: Group) -> None:
        """Fills `final_values` for those of the group that the memory says have just been truncated."""


def decision_for(policy: Policy, memory: RolloutMemory, group: Group) -> tuple[Decision, str]:
    """The fastest there is for this policy where the memory is, and what kept a faster one from working.

    It is tried for the group, whose state is zero.
    """
    if memory.values.is_cpu and not memory.staged:
        from pufftui.trainer.collecting.cpu_decision import CpuDecision, fits_the_cpu

        return (CpuDecision if fits_the_cpu(policy) else PlainDecision)(policy, memory), ""
    if not kernels.on_gpu(memory.values) or not fits_a_kernel(policy):
        return PlainDecision(policy, memory), ""
    try:
        fused = FusedDecision(policy, memory)
        with torch.inference_mode():
            fused.follow()
            fused.decide(0, group)
            fused.look_at_finals(group)
    except Exception as error:  # noqa: BLE001 - Triton, its compiler and the driver have many
        return PlainDecision(policy, memory), str(error).partition("\n")[0] or type(error).__name__
    finally:
        group.state.zero_()
    return fused, ""


class ValuedFinals(ABC):
    """A decision that values whoever was truncated as it values anybody."""

    def __init__(self, memory: RolloutMemory) -> None:
        self._memory = memory

    @abstractmethod
    def values(self, observations: Tensor, state: Tensor) -> Tensor:
        """V (rows,) of observations (rows, bytes) with states (layers, parts, rows, hidden), no rollout's."""

    def look_at_finals(self, group: Group) -> None:
        """Fills `final_values` for those of the group that the memory says have just been truncated."""
        memory, rows, device = self._memory, group.rows, group.state.device
        step = memory.truncated_steps[group.number].to(device, non_blocking=True).long().view(1)
        truncated = memory.truncated[rows].to(device, non_blocking=True).bool()
        seen = memory.finals[rows].to(device, non_blocking=True)
        places = memory.final_values[:, rows]
        values = torch.where(
            truncated, self.values(seen, group.state), places.index_select(0, step)
        )
        places.index_copy_(0, step, values)


class PlainDecision(ValuedFinals):
    """By torch's operations, for every policy and device."""

    def __init__(self, policy: Policy, memory: RolloutMemory) -> None:
        super().__init__(memory)
        self._leader = policy
        # A GPU may learn while it decides.
        self._policy = policy.for_deciding(apart=memory.staged)
        on_cpu = memory.values.is_cpu
        self._step: Step = StepInParts(self._policy) if on_cpu else self._policy.step
        self._distribution = ActionDistribution(policy.descriptor)

    def follow(self) -> None:
        """Takes over the policy's newest weights."""
        self._policy.follow(self._leader)

    def decide(self, step: int, group: Group) -> None:
        """Fills the step's actions, log-probabilities and values; the group's state moves on."""
        memory, rows = self._memory, group.rows
        outputs, state = self._look(step, group)
        if memory.staged:
            group.state.copy_(state)  # Where decisions are recorded, it stays at its place.
        else:
            group.state = state
        noise = memory.noise[step, rows]
        actions, log_probabilities = self._distribution.sample(outputs, self._policy.log_std, noise)
        memory.log_probabilities[step, rows] = log_probabilities
        memory.actions[step, rows] = actions.to(memory.actions.dtype)
        if memory.staged:
            memory.host_actions[step, rows].copy_(memory.actions[step, rows], non_blocking=True)

    def look(self, step: int, group: Group) -> None:
        """Fills the step's values only."""
        self._look(step, group)

    def _look(self, step: int, group: Group) -> tuple[Tensor, Tensor]:
        """Values what a group sees, its state being reset where it has to be; action parameters, next state."""
        memory, rows = self._memory, group.rows
        memory.receive_observations(step, rows)
        memory.receive_resets(step, rows)
        if group.state.numel():
            # Filled, not multiplied: a state that is not finite ends with its episode.
            group.state.masked_fill_(memory.resets[step, rows].bool().unsqueeze(-1), 0)
        seen = memory.slot(memory.read, step)[rows]
        outputs, values, state = self._step(seen, group.state)
        memory.values[step, rows] = values
        return outputs, state

    def values(self, observations: Tensor, state: Tensor) -> Tensor:
        """V (rows,) of observations (rows, bytes) with states (layers, parts, rows, hidden), no rollout's."""
        return self._step(observations, state)[1]


class FusedDecision:
    """As one kernel, for a policy that fits into it; see kernels/gpu_decision.py."""

    def __init__(self, policy: Policy, memory: RolloutMemory) -> None:
        from pufftui.trainer.kernels import gpu_decision

        self._run = gpu_decision.run
        self._memory = memory
        device = memory.values.device
        matrices = [layer.weight.detach() for layer in layers(policy)]
        biases = [layer.bias.detach() for layer in layers(policy)]
        self._weights = torch.empty(
            sum(map(torch.numel, matrices)), dtype=policy.dtype, device=device
        )
        self._biases = torch.empty(sum(map(torch.numel, biases)), device=device)
        self._places = [*_cut(self._weights, matrices), *_cut(self._biases, biases)]
        self._sources = [*matrices, *biases]
        self._shape = {
            "hidden": policy.hidden,
            "outputs": len(policy.heads.weight),
            **policy.features.on_gpu(device),
            "weights": self._weights,
            "biases": self._biases,
        }
        self._sizes = ActionDistribution(policy.descriptor).size_tensor.to(device)

    def follow(self) -> None:
        """Takes over the policy's newest weights."""
        torch._foreach_copy_(self._places, self._sources)

    def decide(self, step: int, group: Group) -> None:
        """Fills the step's actions, log-probabilities and values; the group's state moves on."""
        memory, rows = self._memory, group.rows
        drawing = {
            "noise": memory.noise[step, rows],
            "sizes": self._sizes,
            "actions": memory.actions[step, rows],
            "sent": memory.host_actions[step, rows],
            "log_probabilities": memory.log_probabilities[step, rows],
        }
        self._see(step, group, drawing)

    def look(self, step: int, group: Group) -> None:
        """Fills the step's values only."""
        self._see(step, group, None)

    def _see(self, step: int, group: Group, drawing: dict[str, Tensor] | None) -> None:
        memory, rows = self._memory, group.rows
        memory.receive_observations(step, rows)
        # The kernel reads them where the environments wrote them, and keeps them for learning.
        fresh = memory.staged and step > 0
        self._run(
            observations=memory.slot(memory.read, step)[rows],
            resets=(memory.host_resets if fresh else memory.resets)[step, rows],
            kept_resets=memory.resets[step, rows] if fresh else None,
            state=group.state,
            values=memory.values[step, rows],
            drawing=drawing,
            **self._shape,
        )

    def values(self, observations: Tensor, state: Tensor) -> Tensor:
        """V (rows,) of observations (rows, bytes) with states (layers, parts, rows, hidden), no rollout's."""
        values = torch.empty(len(observations), device=state.device)
        self._run(observations=observations, state=state.contiguous(), values=values, **self._shape)
        return values

    def look_at_finals(self, group: Group) -> None:
        """Fills `final_values` for those of the group that the memory says have just been truncated."""
        memory, rows = self._memory, group.rows
        self._run(
            observations=memory.finals[rows],
            selected=memory.truncated[rows],
            state=group.state,
            values=memory.final_values[0, rows],
            step=memory.truncated_steps[group.number : group.number + 1],
            stride=memory.final_values.shape[1],
            **self._shape,
        )


def fits_a_kernel(policy: Policy) -> bool:
    """Whether a policy is one that the kernel knows, and small enough."""
    from pufftui.trainer.kernels import gpu_decision

    return (
        policy.dtype == torch.bfloat16  # Products in float32 take Triton minutes to compile.
        and not policy.grids
        and not isinstance(policy.encoder, CellEncoder)
        and not isinstance(policy.memory, LSTM)
        and policy.log_std is None
        and policy.hidden <= gpu_decision.WIDEST
        and len(policy.heads.weight) <= gpu_decision.MOST_OUTPUTS
        and len(policy.descriptor.actions) <= MOST_COMPONENTS
    )


def layers(policy: Policy) -> list[nn.Linear]:
    """The encoder, unless its weights are made of others, the gates of every layer of a MinGRU, and the heads."""
    gates = policy.memory.gates if isinstance(policy.memory, MinGRU) else ()
    return [p for p in (policy.encoder, *gates, policy.heads) if isinstance(p, nn.Linear)]


def _cut(flat: Tensor, shapes: list[Tensor]) -> list[Tensor]:
    """The flat tensor as tensors of these shapes, one behind the other."""
    parts = flat.split([tensor.numel() for tensor in shapes])
    return [part.view_as(tensor) for part, tensor in zip(parts, shapes, strict=True)]
