"""A policy deciding for agents on the CPU, as one kernel; see kernels/c/decision.c."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from pufftui.trainer import kernels
from pufftui.trainer.collecting.decision import Group
from pufftui.trainer.collecting.rollout import RolloutMemory
from pufftui.trainer.network.actions import ActionDistribution
from pufftui.trainer.network.heads import MOST_HEADS
from pufftui.trainer.network.policy import LSTM, MinGRU, Policy


def fits_the_cpu(policy: Policy) -> bool:
    """Whether a policy is one that the kernel knows, and the kernel as fast as this processor."""
    known = not policy.grids and not isinstance(policy.memory, LSTM)
    if not known or len(policy.heads.weight) > MOST_HEADS:
        return False
    return bool(kernels.opened()[1].puff_products_are_fast())


class CpuDecision:
    """Decides in one call for all agents of a group; `kernels/c/decision.c` says what a call does.

    Calls are prepared once for each step and group, since a rollout's memory stays at its place.
    """

    def __init__(self, policy: Policy, memory: RolloutMemory) -> None:
        self._policy = policy
        self._memory = memory
        _, library = kernels.opened()
        self._bf16 = policy.dtype == torch.bfloat16
        self._panel = int(library.puff_decision_panel())
        self._pairs = self._bf16 and bool(library.puff_decision_pairs())
        gates = policy.memory.gates if isinstance(policy.memory, MinGRU) else ()
        self._layers = [policy.encoder, *(gate for gate in gates if isinstance(gate, nn.Linear))]
        self._weights = torch.cat([self._packed(layer) for layer in self._layers])
        self._biases = torch.cat([layer.bias.detach() for layer in self._layers])
        self._heads = [tensor.detach().contiguous() for tensor in policy.heads.parameters()]
        distribution = ActionDistribution(policy.descriptor)
        self._continuous = distribution.continuous
        self._sizes = None if distribution.continuous else distribution.size_tensor
        width, outputs = policy.features.width, len(policy.heads.weight)
        size = library.puff_decision_scratch(width, policy.hidden, outputs, int(self._bf16))
        self._scratch = torch.empty(int(size), dtype=torch.uint8)
        self._prepared: dict[tuple[int, int, bool], tuple[int, kernels.Prepared]] = {}

    def follow(self) -> None:
        """Takes over the policy's newest weights."""
        with torch.no_grad():
            torch.cat([self._packed(layer) for layer in self._layers], out=self._weights)
            biases = torch.cat([layer.bias for layer in self._layers])
            self._biases.copy_(biases.to(self._policy.dtype))

    def decide(self, step: int, group: Group) -> None:
        """Fills the step's actions, log-probabilities and values; the group's state moves on."""
        self._call(step, group, acts=True)

    def look(self, step: int, group: Group) -> None:
        """Fills the step's values only."""
        self._call(step, group, acts=False)

    def values(self, observations: Tensor, state: Tensor) -> Tensor:
        """V (rows,) of observations (rows, bytes) with states (layers, parts, rows, hidden), no rollout's."""
        values = torch.empty(len(observations))
        self._prepare(observations.contiguous(), state.contiguous(), values)()
        return values

    def look_at_finals(self, group: Group) -> None:
        """Not here: whoever was truncated is valued by `values`, in the step in which it is."""
        raise NotImplementedError

    def _call(self, step: int, group: Group, *, acts: bool) -> None:
        memory, rows, key = self._memory, group.rows, (step, group.number, acts)
        place, prepared = self._prepared.get(key, (0, None))
        if prepared is None or place != group.state.data_ptr():
            drawing = self._drawing(step, rows) if acts else {}
            prepared = self._prepare(
                memory.observations[step, rows],
                group.state,
                memory.values[step, rows],
                resets=memory.resets[step, rows],
                **drawing,
            )
            self._prepared[key] = group.state.data_ptr(), prepared
        prepared()

    def _drawing(self, step: int, rows: slice) -> dict[str, Tensor]:
        memory = self._memory
        return {
            "noise": memory.noise[step, rows],
            "controls" if self._continuous else "actions": memory.actions[step, rows],
            "log_probabilities": memory.log_probabilities[step, rows],
        }

    def _prepare(
        self,
        observations: Tensor,
        state: Tensor,
        values: Tensor,
        *,
        resets: Tensor | None = None,
        noise: Tensor | None = None,
        actions: Tensor | None = None,
        controls: Tensor | None = None,
        log_probabilities: Tensor | None = None,
    ) -> kernels.Prepared:
        """The call that fills `values` and, with the rest, what is drawn; then the state moves on, too."""
        policy = self._policy
        log_std = policy.log_std
        return kernels.prepared(
            "puff_decide",
            "puff_decision",
            torch.get_num_threads(),
            rows=len(observations),
            hidden=policy.hidden,
            layers=policy.state_shape[0],
            outputs=len(policy.heads.weight),
            components=len(policy.descriptor.actions),
            bf16=int(self._bf16),
            moves=int(noise is not None),
            features=policy.features.prepared(observations),
            resets=resets,
            state=state,
            weights=self._weights,
            biases=self._biases,
            head_weights=self._heads[0],
            head_biases=self._heads[1],
            sizes=self._sizes,
            log_std=None if log_std is None else log_std.detach(),
            noise=noise,
            actions=actions,
            controls=controls,
            log_probabilities=log_probabilities,
            values=values,
            scratch=self._scratch,
        )

    def _packed(self, layer: nn.Linear) -> Tensor:
        """A layer's weights (outputs, inputs) as the kernel reads them, (bytes,) uint8.

        They are rounded as the policy's products round them.
        """
        weights = layer.weight.detach().to(self._policy.dtype)
        outputs, inputs = weights.shape
        together = 2 if self._pairs else 1
        padding = (0, -inputs % together, 0, -outputs % self._panel)
        panels = F.pad(weights if self._pairs else weights.float(), padding)
        panels = panels.view(-1, self._panel, panels.shape[1] // together, together)
        return panels.transpose(1, 2).contiguous().view(-1).view(torch.uint8)
