"""A linear layer of the policy: weights in float32, products in the format of its inputs."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from pufftui.trainer import kernels


def dense(layer: nn.Linear, inputs: Tensor) -> Tensor:
    """A linear layer whose product is done in the dtype of its inputs, which is that of the result."""
    return product(layer.weight, layer.bias, inputs)


def product(weight: Tensor, bias: Tensor | None, inputs: Tensor) -> Tensor:
    """The same of weights (outputs, width) and, if there are any, biases (outputs,)."""
    if kernels.on_gpu(inputs) and bias is not None:
        result: Tensor = Dense.apply(  # type: ignore[no-untyped-call]
            inputs, weight, bias, inputs.dtype
        )
        return result
    narrow = None if bias is None else bias.to(inputs.dtype)
    return F.linear(inputs, weight.to(inputs.dtype), narrow)


class Dense(torch.autograd.Function):
    """Inputs (..., width), weights (outputs, width) and biases (outputs,), both float32 -> (..., outputs).

    On a GPU: the sums over all rows that make the gradients of weights and biases stay float32, where torch would
    round them to the format of the products, and those of the biases are a kernel.
    """

    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, weights: Tensor, biases: Tensor, dtype: torch.dtype
    ) -> Tensor:
        rows = inputs.reshape(-1, inputs.shape[-1])
        narrow = weights.to(inputs.dtype)
        ctx.save_for_backward(rows, narrow)
        if dtype == inputs.dtype:
            results = torch.addmm(biases.to(dtype), rows, narrow.t())
        else:
            results = wide_product(rows, narrow.t()).add_(biases)
        return results.view(*inputs.shape[:-1], len(weights))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        from pufftui.trainer.kernels import gpu_sums

        rows, narrow = ctx.saved_tensors
        gradient = gradients[0].reshape(-1, len(narrow))
        bias_gradient = gpu_sums.columns(gradient)
        gradient = gradient.to(rows.dtype)
        weight_gradient = wide_product(gradient.t(), rows)
        outgoing = None
        if ctx.needs_input_grad[0]:
            outgoing = (gradient @ narrow).view(*gradients[0].shape[:-1], narrow.shape[1])
        return outgoing, weight_gradient, bias_gradient, None


def wide_product(left: Tensor, right: Tensor) -> Tensor:
    """The matrix product of two of one format, with its sums kept in float32."""
    if left.dtype == torch.float32:
        return left @ right
    if left.is_cuda:
        return torch.mm(left, right, out_dtype=torch.float32)
    return left.float() @ right.float()
