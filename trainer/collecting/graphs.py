"""CUDA graphs: work that is the same every time is recorded once and then started as one.

A GPU works off a policy's decision in less time than the processor takes to name its forty
operations; a recorded graph is named in one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Function = Callable[..., tuple[Tensor, ...]]

WARM_UPS = 3
"""Calls before recording, in which libraries choose their kernels and reserve memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """What does the work again, what it writes to, and the driver's handle of it (0: there is none)."""

    replay: Callable[[], Any]
    outputs: tuple[Tensor, ...]
    handle: int


class Recorded:
    """A function of tensors, recorded with these shapes; what it returns is valid until the next call.

    The function must do the same operations every time and may read other tensors, such as
    weights, that change in place. Recording calls it; what that does to `undo` is put back.
    """

    def __init__(
        self,
        function: Function,
        *inputs: Tensor,
        pool: Any = None,
        warm_ups: int = WARM_UPS,
        undo: Sequence[Tensor] = (),
        stream: torch.cuda.Stream | None = None,
    ) -> None:
        self._inputs = tuple(tensor.clone() for tensor in inputs)
        before = [tensor.detach().clone() for tensor in undo]
        try:
            self.recording = record(lambda: function(*self._inputs), pool, warm_ups, stream)
        finally:
            with torch.no_grad():
                for tensor, value in zip(undo, before, strict=True):
                    tensor.copy_(value)

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        for place, tensor in zip(self._inputs, inputs, strict=True):
            place.copy_(tensor, non_blocking=True)
        self.recording.replay()
        return self.recording.outputs


def recorded(function: Function, *inputs: Tensor, **options: Any) -> tuple[Function, str]:
    """The function as a CUDA graph, or itself and why not if this GPU or driver cannot record it.

    `options` as for `Recorded`. Work that may go on beside other work is recorded on a `stream` of its own, since libraries
    keep memory for each stream. Graphs of one `pool` (torch.cuda.graph_pool_handle) share their memory:
    they must run one after the other, in the order in which they were recorded.
    """
    try:
        return Recorded(function, *inputs, **options), ""
    except RuntimeError as error:
        return function, str(error).partition("\n")[0]


def record(
    work: Callable[[], tuple[Tensor, ...]],
    pool: Any,
    warm_ups: int,
    stream: torch.cuda.Stream | None = None,
) -> Recording:
    """Records the work, on the stream or on one of many; raises `RuntimeError` if it cannot be recorded."""
    aside, here = stream or torch.cuda.Stream(), torch.cuda.current_stream()
    aside.wait_stream(here)
    graph = torch.cuda.CUDAGraph()
    # Not with torch.cuda.graph, which collects garbage and empties caches before every recording.
    with torch.cuda.stream(aside):
        for _ in range(warm_ups):
            work()
        aside.synchronize()
        # Other threads may use the device meanwhile: the health checks do not, a person's script might.
        graph.capture_begin(pool=pool, capture_error_mode="thread_local")
        try:
            outputs = work()
        finally:
            graph.capture_end()
    here.wait_stream(aside)
    handle = getattr(graph, "raw_cuda_graph_exec", None)  # Not in every release of torch.
    return Recording(graph.replay, outputs, handle() if handle else 0)
