"""The policy's last layer: few outputs, so on the CPU one pass over memory instead of products."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from pufftui.trainer import kernels
from pufftui.trainer.network.dense import Dense

MOST_HEADS = 64
PARTIAL_SUMS = 32
"""As in kernels.h."""


def last_layer(inputs: Tensor, weights: Tensor, biases: Tensor) -> Tensor:
    """Inputs (..., width) float32 or bfloat16 -> (..., outputs) float32.

    `weights` (outputs, width) and `biases` (outputs,) are float32.
    """
    if kernels.on_gpu(inputs):
        on_gpu: Tensor = Dense.apply(  # type: ignore[no-untyped-call]
            inputs, weights, biases, torch.float32
        )
        return on_gpu
    if not inputs.is_cpu or len(weights) > MOST_HEADS:
        return F.linear(inputs, weights.to(inputs.dtype)).float() + biases
    result: Tensor = _LastLayer.apply(inputs, weights, biases)  # type: ignore[no-untyped-call]
    return result


class _LastLayer(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weights: Tensor, biases: Tensor) -> Tensor:
        inputs, weights = inputs.contiguous(), weights.contiguous()
        results = torch.empty((*inputs.shape[:-1], len(weights)))
        _run("puff_heads_forward", inputs, weights, biases=biases, results=results)
        ctx.save_for_backward(inputs, weights)
        return results

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        inputs, weights = ctx.saved_tensors
        outgoing = torch.empty_like(inputs)
        weight_sums = torch.zeros((PARTIAL_SUMS, *weights.shape))
        bias_sums = torch.zeros((PARTIAL_SUMS, len(weights)))
        _run(
            "puff_heads_backward",
            inputs,
            weights,
            result_gradients=gradients[0].contiguous(),
            input_gradients=outgoing,
            weight_gradients=weight_sums,
            bias_gradients=bias_sums,
        )
        return outgoing, weight_sums.sum(0), bias_sums.sum(0)


def _run(function: str, inputs: Tensor, weights: Tensor, **more: Tensor) -> None:
    outputs, width = weights.shape
    kernels.run(
        function,
        "puff_heads",
        torch.get_num_threads(),
        rows=inputs.numel() // width,
        width=width,
        outputs=outputs,
        bf16=int(inputs.dtype == torch.bfloat16),
        inputs=inputs,
        weights=weights,
        **more,
    )
