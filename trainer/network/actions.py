"""Action distributions over the policy's outputs: sampling, log-probabilities, entropies."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pufftui.envs.descriptor import ActionKind, Descriptor
from pufftui.trainer import kernels

HALF_LOG_TWO_PI_E = 0.5 * (1 + math.log(2 * math.pi))


class ActionDistribution:
    """Log-probabilities and entropies of an environment's actions; components add up."""

    def __init__(self, descriptor: Descriptor) -> None:
        self.continuous = descriptor.action_kind is ActionKind.CONTINUOUS
        self.sizes = [len(action.choices) for action in descriptor.actions]
        self.size_tensor = torch.tensor(self.sizes, dtype=torch.int32)

    def noise(
        self, steps: int, rows: int, generator: torch.Generator, out: Tensor | None = None
    ) -> Tensor:
        """The chance that `sample` needs, (steps, rows, components) float32, on the generator's device.

        Uniform in [0, 1) for discrete actions, normal for continuous ones; written to `out` if it is given.
        """
        make = torch.randn if self.continuous else torch.rand
        shape = (steps, rows, len(self.sizes))
        return make(shape, generator=generator, device=generator.device, out=out)

    def sample(
        self, outputs: Tensor, log_std: Tensor | None, noise: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Outputs (rows, n) and noise of one step -> actions (rows, components) and log-probabilities (rows,)."""
        if log_std is not None:
            actions = outputs + noise * log_std.exp()
            return actions, self.evaluate(outputs, log_std, actions)[0]
        if not kernels.missing(outputs.device):
            return self._sample_fused(outputs, noise)
        chosen, total = [], torch.zeros(outputs.shape[:-1], device=outputs.device)
        parts = zip(outputs.split(self.sizes, dim=-1), noise.split(1, dim=-1), strict=True)
        for logits, uniform in parts:
            # The inverse of the cumulative distribution at one uniform number per row.
            log_probabilities = torch.log_softmax(logits, dim=-1)
            cumulative = log_probabilities.exp().cumsum(dim=-1)
            action = (cumulative[..., :-1] <= uniform).sum(dim=-1, keepdim=True)
            total = total + log_probabilities.gather(-1, action).squeeze(-1)
            chosen.append(action)
        return chosen[0] if len(chosen) == 1 else torch.cat(chosen, dim=-1), total

    def _sample_fused(self, outputs: Tensor, uniforms: Tensor) -> tuple[Tensor, Tensor]:
        rows = len(outputs)
        actions = outputs.new_empty((rows, len(self.sizes)), dtype=torch.int32)
        log_probabilities = outputs.new_empty(rows)
        kernels.run(
            "puff_sample",
            "puff_sampling",
            torch.get_num_threads(),
            rows=rows,
            stride=outputs.stride(0),
            components=len(self.sizes),
            sizes=self.size_tensor,
            logits=outputs,
            uniforms=uniforms.contiguous(),
            actions=actions,
            log_probabilities=log_probabilities,
        )
        return actions, log_probabilities

    def evaluate(
        self, outputs: Tensor, log_std: Tensor | None, actions: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Log-probabilities of given actions (..., components), and entropies, each (...)."""
        if log_std is not None:
            scaled = (actions - outputs) * torch.exp(-log_std)
            log_probabilities = -0.5 * scaled.square() - log_std - 0.5 * math.log(2 * math.pi)
            entropy = (HALF_LOG_TWO_PI_E + log_std).sum().expand(outputs.shape[:-1])
            return log_probabilities.sum(dim=-1), entropy
        total = torch.zeros(outputs.shape[:-1], device=outputs.device)
        entropy = torch.zeros(outputs.shape[:-1], device=outputs.device)
        for component, logits in enumerate(outputs.split(self.sizes, dim=-1)):
            log_probabilities = torch.log_softmax(logits, dim=-1)
            action = actions[..., component : component + 1].long()
            total = total + log_probabilities.gather(-1, action).squeeze(-1)
            entropy = entropy - (log_probabilities.exp() * log_probabilities).sum(dim=-1)
        return total, entropy
