"""GELU in its tanh form (Hendrycks and Gimpel, arXiv 1606.08415), fused on the CPU."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from pufftui.trainer import kernels


def gelu(inputs: Tensor) -> Tensor:
    """0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), any shape, float32 or bfloat16."""
    if not inputs.is_cpu:
        return F.gelu(inputs, approximate="tanh")
    result: Tensor = _FusedGelu.apply(inputs)  # type: ignore[no-untyped-call]
    return result


class _FusedGelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor) -> Tensor:
        inputs = inputs.contiguous()
        outputs = torch.empty_like(inputs)
        _run("puff_gelu_forward", inputs, outputs=outputs)
        ctx.save_for_backward(inputs)
        return outputs

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (inputs,) = ctx.saved_tensors
        result = torch.empty_like(inputs)
        _run(
            "puff_gelu_backward",
            inputs,
            output_gradients=gradients[0].contiguous(),
            input_gradients=result,
        )
        return result


def _run(function: str, inputs: Tensor, **more: Tensor) -> None:
    kernels.run(
        function,
        "puff_gelu",
        torch.get_num_threads(),
        count=inputs.numel(),
        bf16=int(inputs.dtype == torch.bfloat16),
        inputs=inputs,
        **more,
    )
