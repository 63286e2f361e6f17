"""CUDA graphs: work that is the same every time is recorded once and then started as one.

A GPU works off a policy's decision in less time than the processor takes to name its forty
operations; a recorded graph is named in one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Function = Callable[..., tuple[Tensor, ...]]

WARM_UPS = 3
"""Calls before recording, in which libraries choose their kernels and reserve memory."""


class Recorded:
    """A function of tensors, recorded with these shapes; what it returns is valid until the next call.

    The function must do the same operations every time and may read other tensors, such as
    weights, that change in place.
    """

    def __init__(self, function: Function, *inputs: Tensor, pool: Any = None) -> None:
        self._inputs = tuple(tensor.clone() for tensor in inputs)
        self._replay, self._outputs = record(lambda: function(*self._inputs), pool)

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        for place, tensor in zip(self._inputs, inputs, strict=True):
            place.copy_(tensor, non_blocking=True)
        self._replay()
        return self._outputs


def recorded(function: Function, *inputs: Tensor, pool: Any = None) -> tuple[Function, str]:
    """The function as a CUDA graph, or itself and why not if this GPU or driver cannot record it.

    Graphs of one `pool` (torch.cuda.graph_pool_handle) share their memory: they must run one after the
    other, in the order in which they were recorded.
    """
    try:
        return Recorded(function, *inputs, pool=pool), ""
    except RuntimeError as error:
        return function, str(error).partition("\n")[0]


def record(
    work: Callable[[], tuple[Tensor, ...]], pool: Any
) -> tuple[Callable[[], Any], tuple[Tensor, ...]]:
    """(What does the work again, what it writes to). `RuntimeError` if it cannot be recorded."""
    aside, here = torch.cuda.Stream(), torch.cuda.current_stream()
    aside.wait_stream(here)
    with torch.cuda.stream(aside):
        for _ in range(WARM_UPS):
            work()
    here.wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    # Other threads may use the device meanwhile: the health checks do not, a person's script might.
    with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
        outputs = work()
    return graph.replay, outputs
