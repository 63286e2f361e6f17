"""The first layer on a CPU where observations are mostly categories: it adds up rows of its weights; see kernels/c/lookup.c."""

from __future__ import annotations

import copy
import threading
from typing import Any

import torch
from torch import Tensor, nn

from pufftui.trainer import kernels
from pufftui.trainer.kernels.threads import one_thread
from pufftui.trainer.network.cells import CellEncoder
from pufftui.trainer.network.features import Features

Layer = nn.Linear | CellEncoder
"""A first layer: its weights for each feature, or what these are made of."""


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

    def __deepcopy__(self, memo: dict[int, Any]) -> Lookup:
        """That of a copied network has a table of its own."""
        return Lookup(copy.deepcopy(self._features, memo))

    def __call__(self, observations: Tensor, rows: Tensor | None, layer: Layer) -> Tensor:
        """Observations (steps, agents, bytes) uint8 -> (steps, rows, outputs), in the format of the features; differentiable.

        `rows` (rows,) int64 picks agents; None takes all.
        """
        result: Tensor = _LookedUp.apply(  # type: ignore[no-untyped-call]
            self, layer, observations, rows, *layer.parameters()
        )
        return result

    def table(self, layer: Layer) -> tuple[Tensor, Tensor]:
        """What is looked up: the rows (features, stride) in the format of the products, and what sums begin with (stride,) float32."""
        # Whoever asks first, the table is to be changed by anybody.
        with self._making, torch.inference_mode(mode=False), torch.no_grad():
            if self._table is None:
                shape = layer.in_features, self._stride(layer.out_features)
                rows = torch.empty(shape)
                table = torch.empty(shape, dtype=torch.bfloat16) if self._bf16 else rows
                self._table = rows, table, torch.empty(shape[1])
            rows, table, sums = self._table
            made_of = tuple(map(_mark, (*layer.parameters(), *self._features.buffers())))
            if made_of != self._made_of:
                weights = None
                if isinstance(layer, CellEncoder):
                    with one_thread():
                        layer.fill(rows)
                else:
                    weights = layer.weight.detach().float().contiguous()
                self._run(
                    "puff_lookup_prepare",
                    layer.out_features,
                    self._features.prepared_for(None, None),
                    weights=weights,
                    biases=layer.bias.detach().float().contiguous(),
                    rows=rows,
                    table=table,
                    sums=sums,
                )
                self._made_of = made_of
            return table, sums

    def forward(self, layer: Layer, observations: Tensor, rows: Tensor | None) -> Tensor:
        """As the call, without a gradient."""
        table, sums = self.table(layer)
        segments = observations.shape[1] if rows is None else len(rows)
        shape = (len(observations), segments, layer.out_features)
        results = torch.empty(shape, dtype=self._features.dtype)
        self._run(
            "puff_lookup_forward",
            layer.out_features,
            self._features.prepared_for(observations, rows),
            table=table,
            sums=sums,
            results=results,
        )
        return results

    def backward(
        self, gradient: Tensor, layer: Layer, observations: Tensor, rows: Tensor | None
    ) -> tuple[Tensor, ...]:
        """The gradients of the layer's parameters, in their order, from that of the result (steps, rows, outputs)."""
        outputs = layer.out_features
        of_rows, biases, weights = self._gradients(layer, torch.zeros(self.gradient_numbers(layer)))
        features = self._features.prepared_for(observations, rows)
        links = kernels.opened()[1].puff_lookup_links(features.job, outputs)
        self._run(
            "puff_lookup_backward",
            outputs,
            features,
            result_gradients=gradient.contiguous(),
            table_gradients=of_rows,
            links=torch.empty(int(links), dtype=torch.int32),
            weight_gradients=weights,
            bias_gradients=biases,
        )
        return self._by_parameter(layer, of_rows, biases, weights)

    def gradient_numbers(self, layer: Layer) -> int:
        """How many numbers the gradient has before it is put together: that of the table and, last, that of the biases."""
        return (layer.in_features + 1) * self._stride(layer.out_features)

    def put_together(self, gradient: Tensor, layer: Layer) -> tuple[Tensor, ...]:
        """As `backward`, of the sum (gradient_numbers,) float32 of what others have found, which changes in place."""
        of_rows, biases, weights = self._gradients(layer, gradient)
        self._run(
            "puff_lookup_put_together",
            layer.out_features,
            self._features.prepared_for(None, None),
            table_gradients=of_rows,
            weight_gradients=weights,
            bias_gradients=biases,
        )
        return self._by_parameter(layer, of_rows, biases, weights)

    def _gradients(self, layer: Layer, numbers: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Those of the table and of the biases among these numbers, and a place for those of whole weights."""
        stride = self._stride(layer.out_features)
        of_rows, biases = numbers[:-stride].view(-1, stride), numbers[-stride:]
        if isinstance(layer, CellEncoder):
            return of_rows, biases, None
        return of_rows, biases, torch.empty(layer.out_features, layer.in_features)

    def _by_parameter(
        self, layer: Layer, of_rows: Tensor, biases: Tensor, weights: Tensor | None
    ) -> tuple[Tensor, ...]:
        bias = biases[: layer.out_features].clone()
        if weights is not None:
            return weights, bias
        assert isinstance(layer, CellEncoder)
        with one_thread():
            return layer.gradients(of_rows, bias)

    def prepared(self, layer: Layer) -> kernels.Prepared:
        """What a decision has to know to look up in the `table`; it brings its own observations."""
        table, sums = self.table(layer)
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

    def _run(
        self, function: str, outputs: int, features: kernels.Prepared, **more: Tensor | None
    ) -> None:
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
        lookup: Lookup,
        layer: Layer,
        observations: Tensor,
        rows: Tensor | None,
        *parameters: Tensor,
    ) -> Tensor:
        del parameters  # They are the layer's.
        ctx.save_for_backward(observations, rows)
        ctx.lookup, ctx.layer = lookup, layer
        return lookup.forward(layer, observations, rows)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        observations, rows = ctx.saved_tensors
        found = ctx.lookup.backward(gradients[0], ctx.layer, observations, rows)
        return None, None, None, None, *found
