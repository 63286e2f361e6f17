"""MinGRU with a highway: a recurrent layer whose recurrence is a linear scan.

Feng et al., "Were RNNs all we needed?" (arXiv 2410.01201). The one matrix product of a layer is
done for all steps at once by torch; what is left, gates and scan, is one kernel here, and where
there is none, as few operations of torch as there can be.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pufftui.trainer import kernels
from pufftui.trainer.network.recurrence import recur


def scan(
    gates: Tensor, inputs: Tensor, resets: Tensor | None, initial: Tensor
) -> tuple[Tensor, Tensor]:
    """Runs one layer over a sequence.

    `gates` (steps, rows, 3 * width) holds candidate, gate and highway, `inputs`
    (steps, rows, width) what the highway passes by, both in the same dtype. `resets` (steps, rows)
    uint8 marks steps that begin an episode; `initial` (rows, width) float32 is h before the first.
    Returns the outputs (steps, rows, width) in that dtype and h after the last step in float32.
    """
    if kernels.missing(gates.device):
        return scan_in_torch(gates, inputs, resets, initial)
    outputs, states = _FusedScan.apply(  # type: ignore[no-untyped-call]
        gates, inputs, resets, initial
    )
    return outputs, states[-1]


def scan_in_torch(
    gates: Tensor, inputs: Tensor, resets: Tensor | None, initial: Tensor
) -> tuple[Tensor, Tensor]:
    """`scan` for any device and dtype; gradients by autograd."""
    candidate, gate, highway = gates.to(initial.dtype).chunk(3, dim=-1)
    z = torch.sigmoid(gate)
    update = z * (candidate.clamp(min=0) + torch.sigmoid(candidate.clamp(max=0)))
    keep = 1 - z
    if resets is not None:
        begins = resets.bool().unsqueeze(-1)
        keep = keep.masked_fill(begins, 0)
        initial = initial.masked_fill(begins[0], 0)
    first = torch.addcmul(update[:1], keep[:1], initial)
    states = recur(keep, torch.cat((first, update[1:])))
    passed = torch.sigmoid(highway)
    outputs = torch.lerp(inputs.to(initial.dtype), states, passed)
    return outputs.to(gates.dtype), states[-1]


class _FusedScan(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, gates: Tensor, inputs: Tensor, resets: Tensor | None, initial: Tensor
    ) -> tuple[Tensor, Tensor]:
        gates, inputs, initial = gates.contiguous(), inputs.contiguous(), initial.contiguous()
        resets = resets.contiguous() if resets is not None else None
        outputs = torch.empty_like(inputs)
        states = torch.empty_like(inputs, dtype=torch.float32)
        _run("puff_mingru_forward", gates, inputs, resets, initial, states, outputs=outputs)
        ctx.save_for_backward(gates, inputs, resets, initial, states)
        ctx.mark_non_differentiable(states)
        return outputs, states

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        gates, inputs, resets, initial, states = ctx.saved_tensors
        gate_gradients, input_gradients = torch.empty_like(gates), torch.empty_like(inputs)
        _run(
            "puff_mingru_backward",
            gates,
            inputs,
            resets,
            initial,
            states,
            output_gradients=gradients[0].contiguous(),
            gate_gradients=gate_gradients,
            input_gradients=input_gradients,
        )
        return gate_gradients, input_gradients, None, None


def _run(
    function: str,
    gates: Tensor,
    inputs: Tensor,
    resets: Tensor | None,
    initial: Tensor,
    states: Tensor,
    **more: Tensor,
) -> None:
    steps, rows, width = inputs.shape
    kernels.run(
        function,
        "puff_mingru",
        torch.get_num_threads(),
        steps=steps,
        rows=rows,
        width=width,
        bf16=int(gates.dtype == torch.bfloat16),
        gates=gates,
        inputs=inputs,
        resets=resets,
        initial=initial,
        states=states,
        **more,
    )
