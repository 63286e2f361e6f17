"""The first layer on a CPU where observations are mostly categories: it adds up rows of its weights; see kernels/c/lookup.c."""

from __future__ import annotations

import threading
from typing import Any

import torch
from torch import Tensor, nn

from pufftui.trainer import kernels
from pufftui.trainer.network.features import Features


class Lookup:
    """The same as features times the weights of a layer, plus its biases, for features that are mostly one-hot.

    The table that it adds rows of stays at its place, and is made anew when the weights have changed.
    """

    def __init__(self, features: Features) -> None:
        self._features = features
        self._bf16 = int(features.dtype == torch.bfloat16)
        self._making = threading.Lock()  # Parts of a minibatch are worked on at the same time.
        self._table: tuple[Tensor, Tensor, Tensor] | None = None
        self._made_of: tuple[tuple[int, int], ...] = ()

    def __call__(self, observations: Tensor, rows: Tensor | None, layer: nn.Linear) -> Tensor:
        """Observations (steps, agents, bytes) uint8 -> (steps, rows, outputs), in the format of the features; differentiable.

        `rows` (rows,) int64 picks agents; None takes all.
        """
        result: Tensor = _LookedUp.apply(  # type: ignore[no-untyped-call]
            layer.weight, layer.bias, observations, rows, self
        )
        return result

    def table(self, weights: Tensor, biases: Tensor) -> tuple[Tensor, Tensor]:
        """What is looked up: the rows (features, stride) in the format of the products, and what sums begin with (stride,) float32.

        The layer's `weights` are (outputs, features), its `biases` (outputs,).
        """
        outputs, width = weights.shape
        with self._making:
            if self._table is None:
                shape = width, self._stride(outputs)
                rows = torch.empty(shape)
                table = torch.empty(shape, dtype=torch.bfloat16) if self._bf16 else rows
                self._table = rows, table, torch.empty(shape[1])
            rows, table, sums = self._table
            made_of = tuple(map(_mark, (weights, biases, *self._features.buffers())))
            if made_of != self._made_of:
                self._run(
                    "puff_lookup_prepare",
                    outputs,
                    self._features.prepared_for(None, None),
                    weights=weights.float().contiguous(),
                    biases=biases.float().contiguous(),
                    rows=rows,
                    table=table,
                    sums=sums,
                )
                self._made_of = made_of
            return table, sums

    def forward(
        self, weights: Tensor, biases: Tensor, observations: Tensor, rows: Tensor | None
    ) -> Tensor:
        """As the call, without a gradient."""
        table, sums = self.table(weights, biases)
        segments = observations.shape[1] if rows is None else len(rows)
        shape = (len(observations), segments, len(weights))
        results = torch.empty(shape, dtype=self._features.dtype)
        self._run(
            "puff_lookup_forward",
            len(weights),
            self._features.prepared_for(observations, rows),
            table=table,
            sums=sums,
            results=results,
        )
        return results

    def backward(
        self, gradient: Tensor, observations: Tensor, rows: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """The gradients of weights and biases, from that of the result (steps, rows, outputs)."""
        outputs, width = gradient.shape[-1], self._features.width
        stride = self._stride(outputs)
        biases, weights = torch.empty(stride), torch.empty(outputs, width)
        features = self._features.prepared_for(observations, rows)
        links = kernels.opened()[1].puff_lookup_links(features.job, outputs)
        self._run(
            "puff_lookup_backward",
            outputs,
            features,
            links=torch.empty(int(links), dtype=torch.int32),
            result_gradients=gradient.contiguous(),
            table_gradients=torch.zeros(width, stride),
            weight_gradients=weights,
            bias_gradients=biases,
        )
        return weights, biases[:outputs].clone()

    def prepared(self, layer: nn.Linear) -> kernels.Prepared:
        """What a decision has to know to look up in the `table`; it brings its own observations."""
        table, sums = self.table(layer.weight.detach(), layer.bias.detach())
        return kernels.prepared(
            "puff_lookup_forward",
            "puff_lookup",
            torch.get_num_threads(),
            outputs=layer.out_features,
            bf16=self._bf16,
            features=self._features.prepared_for(None, None),
            table=table,
            sums=sums,
            results=torch.empty(0, dtype=self._features.dtype),
        )

    def _stride(self, outputs: int) -> int:
        return int(kernels.opened()[1].puff_lookup_stride(outputs))

    def _run(self, function: str, outputs: int, features: kernels.Prepared, **more: Tensor) -> None:
        kernels.prepared(
            function,
            "puff_lookup",
            torch.get_num_threads(),
            outputs=outputs,
            bf16=self._bf16,
            features=features,
            **more,
        )()


def _mark(tensor: Tensor) -> tuple[int, int]:
    """Differs from that of before once the numbers have been changed by torch's operations."""
    return tensor.data_ptr(), tensor._version  # noqa: SLF001 - it has no public name


class _LookedUp(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        weights: Tensor,
        biases: Tensor,
        observations: Tensor,
        rows: Tensor | None,
        lookup: Lookup,
    ) -> Tensor:
        ctx.save_for_backward(observations, rows)
        ctx.lookup = lookup
        return lookup.forward(weights, biases, observations, rows)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        observations, rows = ctx.saved_tensors
        return *ctx.lookup.backward(gradients[0], observations, rows), None, None, None
