"""The gradient of the PPO loss of segments that were gathered: on GPUs, and for continuous actions."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.autograd import grad

from pufftui.trainer import kernels
from pufftui.trainer.collecting.graphs import Function, recorded
from pufftui.trainer.network.actions import ActionDistribution
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.ppo.fused_loss import picked_ppo_loss
from pufftui.trainer.ppo.loss import MinibatchLoss, normalise, ppo_loss
from pufftui.trainer.ppo.minibatch import Minibatch, Picked


class GatheredGradient:
    """Adds the gradients of gathered segments to those that a policy's parameters hold.

    On a GPU the work is recorded as a CUDA graph, once for every number of segments; settings that may
    change while training reach it as numbers in memory.
    """

    def __init__(self, policy: Policy, distribution: ActionDistribution) -> None:
        self._policy, self._distribution = policy, distribution
        self._parameters = list(policy.parameters())
        weight = policy.heads.weight
        self._fused = kernels.on_gpu(weight) and not distribution.continuous
        self._sizes = distribution.size_tensor.to(weight.device)
        self._recorded: dict[int, Function] = {}
        self.unrecorded = ""
        """Why the work is not recorded, though there is a GPU."""

    def add(
        self, part: Minibatch, moments: Tensor, numbers: Tensor, *, recording: bool = False
    ) -> MinibatchLoss:
        """Works on one part of a minibatch whose advantages have these moments.

        `numbers` are the loss's `coefficients`. While `recording`, what is around it is being recorded.
        """
        if recording:
            picked = part.picked(in_place=True)
            loss, gradients = self._loss_and_gradients(picked, moments, numbers, part.rows)
            add_gradients(self._parameters, gradients)
            return loss
        inputs = (*part.picked().tensors(), moments, numbers)
        total, ratios, values, figures, *found = self._work(len(part.rows), inputs)(*inputs)
        add_gradients(self._parameters, [gradient.clone() for gradient in found])
        return MinibatchLoss(total.clone(), ratios.clone(), values.clone(), figures.clone())

    def _work(self, segments: int, inputs: tuple[Tensor, ...]) -> Function:
        """The gradient of so many segments, recorded if it can be."""
        if not inputs[0].is_cuda or self.unrecorded:
            return self._gradient
        if segments not in self._recorded:
            self._recorded[segments], self.unrecorded = recorded(self._gradient, *inputs)
        return self._recorded[segments]

    def _gradient(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """(loss, ratios, values, figures, gradient of each parameter)."""
        *tensors, moments, numbers = inputs
        loss, gradients = self._loss_and_gradients(Picked(*tensors), moments, numbers, None)
        return loss.total.detach(), loss.ratios, loss.values, loss.figures, *gradients

    def _loss_and_gradients(
        self, picked: Picked, moments: Tensor, numbers: Tensor, rows: Tensor | None
    ) -> tuple[MinibatchLoss, tuple[Tensor, ...]]:
        """With `rows`, those of the observations are meant."""
        heads, _ = self._policy.sequence(picked.observations, picked.state, picked.resets, rows)
        if self._fused:
            sizes, largest = self._sizes, max(self._distribution.sizes)
            loss, wanted = picked_ppo_loss(heads, sizes, largest, picked, moments, numbers)
            return loss, grad(heads, self._parameters, wanted)
        loss = self.loss(heads, picked, moments, numbers)
        return loss, grad(loss.total, self._parameters)

    def loss_of(self, part: Minibatch, moments: Tensor, numbers: Tensor) -> MinibatchLoss:
        """The loss of a part of a minibatch whose advantages have these moments, in torch's operations."""
        picked = part.picked()
        heads, _ = self._policy.sequence(picked.observations, picked.state, picked.resets)
        return self.loss(heads, picked, moments, numbers)

    def loss(
        self, heads: Tensor, picked: Picked, moments: Tensor, numbers: Tensor
    ) -> MinibatchLoss:
        """The loss that heads (horizon, segments, n + 1) come to; `numbers` are the `coefficients`."""
        log_probabilities, entropies = self._distribution.evaluate(
            heads[..., :-1], self._policy.log_std, picked.actions
        )
        return ppo_loss(
            log_probabilities=log_probabilities,
            old_log_probabilities=picked.log_probabilities,
            entropies=entropies,
            values=heads[..., -1],
            old_values=picked.values,
            targets=picked.advantages + picked.values,
            advantages=normalise(picked.advantages, moments) * picked.weights,
            alive=picked.alive,
            count=moments[0].float(),
            coefficients=numbers,
        )


def add_gradients(parameters: Sequence[Tensor], gradients: Sequence[Tensor]) -> None:
    """Adds gradients to those that the parameters hold."""
    for parameter, gradient in zip(parameters, gradients, strict=True):
        if parameter.grad is None:
            parameter.grad = gradient
        else:
            parameter.grad += gradient
