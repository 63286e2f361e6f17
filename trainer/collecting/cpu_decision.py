"""A policy deciding for agents on the CPU, as one kernel; see kernels/c/decision.c."""

from __future__ import annotations

import torch
from torch import Tensor

from pufftui.trainer import kernels
from pufftui.trainer.collecting.decision import Group, ValuedFinals, layers
from pufftui.trainer.collecting.rollout import RolloutMemory
from pufftui.trainer.network.actions import ActionDistribution
from pufftui.trainer.network.cells import CellEncoder
from pufftui.trainer.network.heads import MOST_HEADS
from pufftui.trainer.network.policy import LSTM, Policy


def fits_the_cpu(policy: Policy) -> bool:
    """Whether a policy is one that the kernel knows, and the kernel as fast as this processor."""
    known = not policy.grids and not isinstance(policy.memory, LSTM)
    known = known and (policy.lookup is not None or not isinstance(policy.encoder, CellEncoder))
    if not known or len(policy.heads.weight) > MOST_HEADS:
        return False
    return bool(kernels.opened()[1].puff_products_are_fast())


class CpuDecision(ValuedFinals):
    """Decides in one call for all agents of a group; `kernels/c/decision.c` says what a call does.

    Calls are prepared once for each step and group, since a rollout's memory stays at its place.
    """

    def __init__(self, policy: Policy, memory: RolloutMemory) -> None:
        super().__init__(memory)
        self._policy = policy
        _, library = kernels.opened()
        self._bf16 = int(policy.dtype == torch.bfloat16)
        linear = layers(policy)[:-1]
        gates = [layer for layer in linear if layer is not policy.encoder]
        self._multiplied = linear if policy.lookup is None else gates
        self._biased = [policy.encoder.bias, *(gate.bias for gate in gates)]
        sizes = [
            library.puff_packed_size(layer.in_features, layer.out_features, self._bf16)
            for layer in self._multiplied
        ]
        self._weights = torch.empty(sum(sizes), dtype=torch.uint8)
        self._packed = self._weights.split(sizes)
        self._biases = torch.cat([bias.detach() for bias in self._biased])
        self._heads = [tensor.detach().contiguous() for tensor in policy.heads.parameters()]
        distribution = ActionDistribution(policy.descriptor)
        self._continuous = distribution.continuous
        self._sizes = None if distribution.continuous else distribution.size_tensor
        lookup = policy.lookup
        self._lookup = None if lookup is None else lookup.prepared(policy.encoder)
        width = policy.features.width if lookup is None else 0
        outputs = len(policy.heads.weight)
        size = library.puff_decision_scratch(width, policy.hidden, outputs, self._bf16)
        self._scratch = torch.empty(int(size), dtype=torch.uint8)
        self._prepared: dict[tuple[int, int], kernels.Prepared] = {}

    def follow(self) -> None:
        """Takes over the policy's newest weights."""
        dtype = self._policy.dtype
        if self._policy.lookup is not None:
            self._policy.lookup.table(self._policy.encoder)
        for layer, packed in zip(self._multiplied, self._packed, strict=True):
            kernels.run(
                "puff_pack_weights",
                "puff_packing",
                torch.get_num_threads(),
                outputs=layer.out_features,
                inputs=layer.in_features,
                bf16=self._bf16,
                weights=layer.weight.detach().to(dtype).contiguous(),
                packed=packed,
            )
        self._biases.copy_(torch.cat([bias.detach() for bias in self._biased]).to(dtype))

    def decide(self, step: int, group: Group) -> None:
        """Fills the step's actions, log-probabilities and values; the group's state moves on."""
        self.call(step, group)()

    def look(self, step: int, group: Group) -> None:
        """Fills the values of what follows the last step."""
        self.call(step, group)()

    def values(self, observations: Tensor, state: Tensor) -> Tensor:
        """V (rows,) of observations (rows, bytes) with states (layers, parts, rows, hidden), no rollout's."""
        values = torch.empty(len(observations))
        self._prepare(observations.contiguous(), state.contiguous(), values)()
        return values

    def call(self, step: int, group: Group) -> kernels.Prepared:
        """The call that decides for a group at a step, or behind the last one looks at what follows; the group's state must stay in its place."""
        memory, rows, key = self._memory, group.rows, (step, group.number)
        if key not in self._prepared:
            drawing = self._drawing(step, rows) if step < memory.horizon else {}
            self._prepared[key] = self._prepare(
                memory.observations[step, rows],
                group.state,
                memory.values[step, rows],
                resets=memory.resets[step, rows],
                **drawing,
            )
        return self._prepared[key]

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
            bf16=self._bf16,
            moves=int(noise is not None),
            features=policy.features.prepared(observations),
            lookup=self._lookup,
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
