"""The gradient of a minibatch on the CPU in one call, for networks that the kernel knows; see kernels/c/gradient.c."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pufftui.trainer import kernels
from pufftui.trainer.collecting.cpu_decision import fits_the_cpu
from pufftui.trainer.kernels.sums import places
from pufftui.trainer.network.actions import ActionDistribution
from pufftui.trainer.network.policy import MinGRU, Policy
from pufftui.trainer.ppo.fused_loss import MOST_CHOICES, figures_of, ppo_call, total_of
from pufftui.trainer.ppo.loss import MinibatchLoss
from pufftui.trainer.ppo.minibatch import Minibatch
from pufftui.trainer.ppo.vitals import noise_of
from pufftui.trainer.settings.fields import TrainConfig

SMALL_PART, PART, LARGE_TABLE_PART = 1024, 2048, 8192
"""Agent steps of a part, at most. Each has a gradient of its own, which is then added: the fewer numbers it has, the smaller a
part may be; and to a large table, in which a first layer looks up, it adds in few places."""

SMALL, LARGE = 1 << 17, 1 << 19
"""Numbers of a small gradient, at most, and more than which make a large table."""


def fits(policy: Policy, distribution: ActionDistribution) -> bool:
    """Whether the kernel knows this network, and is as fast as this processor."""
    if sum(distribution.sizes) > MOST_CHOICES:
        return False
    return policy.heads.weight.is_cpu and fits_the_cpu(policy)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Where a call leaves ratios and values (horizon, segments), the sums of the loss (PUFF_SUMS,), and gradients (numbers,).

    A call that is asked for the first half of its parts as well leaves theirs in `half_sums` and `half`.
    """

    ratios: Tensor
    values: Tensor
    sums: Tensor
    gradients: Tensor
    half_sums: Tensor
    half: Tensor


class CpuGradient:
    """From observations to the gradients of all parameters, by C threads alone: neither torch nor Python is asked on the way.

    Parts are the same and their gradients are added in the same order whatever the number of threads.
    """

    def __init__(self, policy: Policy, distribution: ActionDistribution) -> None:
        """For a policy that `fits`; its parameters may change, but not their shapes."""
        self._policy, self._sizes = policy, distribution.size_tensor
        memory = policy.memory
        gates = list(memory.gates) if isinstance(memory, MinGRU) else []
        self._layers = [*gates, policy.heads]
        self._lookup = None if policy.lookup is None else policy.lookup.prepared(policy.encoder)
        self._encoder = policy.encoder.out_features * (policy.encoder.in_features + 1)
        if policy.lookup is not None:
            self._encoder = policy.lookup.gradient_numbers(policy.encoder)
        rest = [parameter for layer in self._layers for parameter in layer.parameters()]
        self._numbers = self._encoder + sum(parameter.numel() for parameter in rest)
        if policy.log_std is not None:
            self._numbers += policy.log_std.numel()
        self._scratch = torch.empty(0, dtype=torch.uint8)

    @property
    def most(self) -> int:
        """Agent steps of a part, at most."""
        if self._numbers <= SMALL:
            return SMALL_PART
        return PART if self._lookup is None or self._numbers <= LARGE else LARGE_TABLE_PART

    def room(self, steps: int, segments: int) -> Found:
        """Memory for what is found in so many segments."""
        ratios, values = torch.empty(steps, segments), torch.empty(steps, segments)
        sums, half_sums = (torch.empty(len(places()), dtype=torch.float64) for _ in range(2))
        gradients, half = (torch.empty(self._numbers) for _ in range(2))
        return Found(ratios, values, sums, gradients, half_sums, half)

    def find(
        self, batch: Minibatch, parts: int, moments: Tensor, config: TrainConfig, *, halves: bool
    ) -> tuple[MinibatchLoss, Found]:
        """The loss of these segments, worked on in so many parts, and what was found, with `halves` of the first one as well.

        `moments` (3,) are those of the advantages that are normalised with.
        """
        found = self.room(config.horizon, len(batch.rows))
        call = self.prepared(batch, parts, moments, config, found, halves=halves)
        self.follow()
        call()
        coefficients = config.value_coefficient, config.entropy_coefficient
        total = total_of(found.sums, moments, *coefficients)
        figures = figures_of(found.sums)
        return MinibatchLoss(total, found.ratios, found.values, figures), found

    def follow(self) -> None:
        """Takes over the newest weights, where they are not read as they are."""
        if self._policy.lookup is not None:
            self._policy.lookup.table(self._policy.encoder)

    def prepared(
        self,
        batch: Minibatch,
        parts: int,
        moments: Tensor,
        config: TrainConfig,
        found: Found,
        *,
        halves: bool,
    ) -> kernels.Prepared:
        """The call that fills in what is `found`, once the newest weights are followed; arguments as of `find`."""
        policy, rollout = self._policy, batch.rollout
        loss = ppo_call(
            *(batch, moments, config),
            width=len(policy.heads.weight),
            sizes=self._sizes,
            log_std=policy.log_std,
            heads=torch.empty(0),
            head_gradients=torch.empty(0),
            ratios=found.ratios,
            new_values=found.values,
            sums=found.sums,
        )
        weights = [policy.encoder.bias, *(p for layer in self._layers for p in layer.parameters())]
        addresses = [parameter.data_ptr() for parameter in weights]
        whole = policy.encoder.weight if policy.lookup is None else None
        first = 0 if whole is None else whole.data_ptr()
        features = policy.features.prepared_for(rollout.observations[:-1], batch.rows)
        resets, state = rollout.resets.contiguous(), rollout.state.contiguous()
        where = torch.tensor([first, *addresses], dtype=torch.int64)

        def prepared() -> kernels.Prepared:
            return kernels.prepared(
                "puff_find_gradient",
                "puff_gradient",
                torch.get_num_threads(),
                hidden=policy.hidden,
                layers=policy.state_shape[0],
                outputs=len(policy.heads.weight),
                bf16=int(policy.dtype == torch.bfloat16),
                parts=parts,
                workers=torch.get_num_threads(),
                features=features,
                lookup=self._lookup,
                loss=loss,
                resets=resets,
                state=state,
                places=where,
                gradients=found.gradients,
                half=found.half if halves else None,
                half_sums=found.half_sums if halves else None,
                scratch=self._scratch,
            )

        call = prepared()
        library = kernels.opened()[1]
        assert library.puff_gradient_numbers(call.job) == len(found.gradients)
        needed = int(library.puff_gradient_scratch(call.job))
        if needed > len(self._scratch):
            # What there was goes first.
            del call
            self._scratch = torch.empty(0, dtype=torch.uint8)
            self._scratch = torch.empty(needed, dtype=torch.uint8)
            call = prepared()
        return call

    def noise(
        self, found: Found, gradients: list[Tensor], minibatch: int, ranks: int
    ) -> dict[str, Tensor]:
        """The figures of `GradientNoise`, where the first half was asked for; `gradients` are `by_parameter`, arguments as of `noise_of`."""
        living = places()["alive"]
        share = (found.half_sums[living] / found.sums[living].clamp(min=1)).float()
        return noise_of(self.by_parameter(found.half), gradients, share, minibatch, ranks)

    def by_parameter(self, gradients: Tensor) -> list[Tensor]:
        """What was found, which may change in place, in the order of the policy's parameters."""
        policy = self._policy
        encoder, rest = gradients[: self._encoder], gradients[self._encoder :]
        found = [] if policy.log_std is None else [gradients[-policy.log_std.numel() :]]
        if policy.lookup is not None:
            found += policy.lookup.put_together(encoder, policy.encoder)
        else:
            biases = policy.hidden
            found += [encoder[:-biases].view(biases, -1), encoder[-biases:]]
        for layer in self._layers:
            for parameter in layer.parameters():
                own, rest = rest[: parameter.numel()], rest[parameter.numel() :]
                found.append(own.view(parameter.shape))
        return found
