from __future__ import annotations

import importlib
import os
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from pufftui.trainer import kernels
from pufftui.trainer.collecting.graphs import Recording

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"  # Triton reads it when it is imported.


Replay = weakref.ref[Callable[[], None]]


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> list[Replay]:
    """What CUDA graphs do, on the CPU: the same memory is read and written every time.

    Returns references to the recordings, whose handles are their places, counted from 1: a recording that
    nobody keeps is gone.
    """
    replays: list[Replay] = []

    def record(
        work: Callable[[], tuple[Tensor, ...]], pool: Any, warm_ups: int, stream: Any = None
    ) -> Recording:
        outputs = tuple(tensor.clone() for tensor in work())

        def replay() -> None:
            for place, tensor in zip(outputs, work(), strict=True):
                place.copy_(tensor)

        replays.append(weakref.ref(replay))
        return Recording(replay, outputs, len(replays))

    monkeypatch.setattr("pufftui.trainer.collecting.graphs.record", record)
    return replays


class Driver:
    """A GPU's driver, imitated: what is launched on a stream is done when the stream is waited for.

    If it is `eager`, it is often done by the time that somebody asks. `fail_after` launches it has only errors.
    """

    def __init__(self, replays: list[Replay]) -> None:
        ffi, _ = kernels.opened()
        self.queues: dict[int, list[int]] = {}
        self.launches = self.queries = 0
        self.eager = False
        self.fail_after: float = float("inf")

        def number(pointer: Any) -> int:
            return int(ffi.cast("uintptr_t", pointer))

        @ffi.callback("int32_t (void *, void *)", error=999)  # type: ignore[untyped-decorator]
        def launch(graph: Any, stream: Any) -> int:
            self.launches += 1
            if self.launches > self.fail_after:
                return 700
            if replays[number(graph) - 1]() is None:
                return 1  # As a GPU's driver says of a graph that is gone.
            self.queues.setdefault(number(stream), []).append(number(graph))
            return 0

        @ffi.callback("int32_t (void *)", error=999)  # type: ignore[untyped-decorator]
        def wait(stream: Any) -> int:
            queue = self.queues.get(number(stream), [])
            while queue:
                with torch.inference_mode():
                    replay = replays[queue.pop(0) - 1]()
                    assert replay is not None
                    replay()
            return 0

        @ffi.callback("int32_t (void *)", error=999)  # type: ignore[untyped-decorator]
        def query(stream: Any) -> int:
            self.queries += 1
            if self.eager and self.queries % 3:
                wait(stream)
            return 600 if self.queues.get(number(stream)) else 0

        self._callbacks = launch, query, wait
        parts = {"launch": launch, "query": query, "wait": wait}
        self.functions = ffi.new("puff_driver *", parts)
        self.wait_for_all = lambda: [wait(ffi.cast("void *", stream)) for stream in self.queues]


@pytest.fixture
def driver(graphs: list[Replay]) -> Driver:
    """The driver of `graphs`."""
    return Driver(graphs)


@pytest.fixture
def interpreter() -> Iterator[None]:
    """For tests of Triton's kernels on the CPU; skips where there is something better, or nothing."""
    pytest.importorskip(
        "triton.language", reason="Triton is not installed; make test does where it can be"
    )
    if torch.cuda.is_available():
        pytest.skip("there is a GPU, so test_gpu.py runs the kernels for real")
    with np.errstate(invalid="ignore", divide="ignore"):  # Lanes that have no number are no matter.
        yield


COMPILED = """
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

MOST_SHARED = 99 * 1024 - 1024  # Of the smaller cards, less what the driver takes.

def compiled(kernel, types, constants, capability, aligned=False, **options):
    names = kernel.arg_names
    assert set(names) == set(types) | set(constants), kernel
    signature = {name: types.get(name, "constexpr") for name in names}
    places = {(names.index(name),): value for name, value in constants.items()}
    pointers = [(names.index(n),) for n in types if aligned and types[n][0] == "*"]
    attributes = {place: [["tt.divisibility", 16]] for place in pointers}
    source = ASTSource(fn=kernel, signature=signature, constexprs=places, attrs=attributes)
    made = triton.compile(source, target=GPUTarget("cuda", capability, 32), options=options)
    assert made.asm["cubin"]
    assert made.metadata.shared <= MOST_SHARED, (kernel, capability, made.metadata.shared)
    print(kernel.__name__)
"""


CACHE = Path(__file__).parents[2] / "build" / "triton"
"""Triton keeps there what it has compiled, under a key of its own version, the kernel's source with all that it
calls, the types, constants, options and the card: what is changed is compiled again, the rest is not."""


@pytest.fixture
def compile_kernels() -> Callable[[str], int]:
    """Runs a script that calls `compiled(kernel, types, constants, capability)`; how often it did.

    What a program wants of shared memory must be there on every card. `aligned` says so of all pointers.
    """
    pytest.importorskip(
        "triton.language", reason="Triton is not installed; make test does where it can be"
    )

    def compile_all(script: str) -> int:
        result = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", COMPILED + script],
            env={"TRITON_CACHE_DIR": str(CACHE), "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert result.returncode == 0, result.stderr[-2000:]
        return len(result.stdout.splitlines())

    return compile_all


@pytest.fixture
def exact_bfloat16(interpreter: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds to bfloat16 as a GPU does; Triton's interpreter cuts off, and multiplies the bits as whole numbers."""
    module = importlib.import_module("triton.runtime.interpreter")
    plain, tl = module.InterpreterBuilder.create_dot, module.tl

    def convert(numbers: Any, source: Any, target: Any, rounding: Any) -> Any:
        if target == tl.bfloat16:
            return torch.from_numpy(numbers).bfloat16().view(torch.uint16).numpy()
        return torch.from_numpy(numbers).view(torch.bfloat16).float().numpy()

    def dot(self: Any, a: Any, b: Any, *others: Any) -> Any:
        if a.dtype.scalar == tl.bfloat16:
            a, b = (self.create_fp_ext(factor, tl.float32) for factor in (a, b))
        return plain(self, a, b, *others)

    monkeypatch.setattr(module, "_convert_float", convert)
    monkeypatch.setattr(module.InterpreterBuilder, "create_dot", dot)
