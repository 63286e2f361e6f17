"""The elementwise parts of training as kernels: in C on the CPU, some of them in Triton on a GPU."""

from __future__ import annotations

import functools
import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cffi

from pufftui.envs.errors import PuffError
from pufftui.envs.headers import declarations
from pufftui.envs.library import SUFFIX
from pufftui.trainer.kernels import calls

if TYPE_CHECKING:
    import torch


class _Pools(threading.local):
    def __init__(self) -> None:
        self.by_threads: dict[int, Any] = {}


_POOLS = _Pools()

HEADERS = ("kernels.h", "gradient.h", "steps/gpu_steps.h", "steps/cpu_steps.h")
"""What the library's functions are declared in."""

GPUS = ("cuda",)
"""Types of the devices that are worked with as with an NVIDIA GPU."""


def is_gpu(device: torch.device) -> bool:
    """Whether a device is a GPU, where kernels are Triton's, graphs are recorded and memory is not the host's."""
    return device.type in GPUS


@functools.cache
def opened() -> tuple[cffi.FFI, Any]:
    """The C declarations and the library that holds them.

    Raises `PuffError` if it cannot be opened, or was built from other declarations.
    """
    ffi, sources = cffi.FFI(), ""
    for header in (Path(__file__).with_name("c") / name for name in HEADERS):
        ffi.cdef(declarations(header))
        sources += hashlib.sha256(header.read_bytes()).hexdigest()
    candidates = [Path(root) / f"libkernels{SUFFIX}" for root in __path__]
    path = next((path for path in candidates if path.exists()), candidates[0])
    try:
        lib = ffi.dlopen(str(path))
        built_from = ffi.string(lib.puff_kernels_built_from()).decode()
    except OSError as error:
        raise PuffError(
            f"The library {path.name} cannot be opened ({error}).", "Reinstall: pip install ."
        ) from None
    except AttributeError:  # it is older than the question
        built_from = ""
    if built_from != sources:
        raise PuffError(
            f"The library {path.name} was built from other sources than these.",
            "Build it again: make build, or pip install .",
        )
    return ffi, lib


def pool(threads: int) -> Any:
    """The calling thread's own pool, since a pool does one call at a time."""
    pools = _POOLS.by_threads
    if threads not in pools:
        ffi, lib = opened()
        pool = lib.puff_kernels_create(threads) or lib.puff_kernels_create(1)
        pools[threads] = ffi.gc(pool, lib.puff_kernels_destroy)
    return pools[threads]


@functools.cache
def missing(device: torch.device) -> str:
    """Why those that are written for GPUs, too, cannot run on a device; empty if they can."""
    if not is_gpu(device):
        return "" if device.type == "cpu" else f"none are written for {device.type}"
    try:
        from pufftui.trainer.kernels.gpu_trial import try_out

        try_out(device)
    except Exception as error:  # noqa: BLE001 - Triton, its compiler and the driver have many
        return str(error).partition("\n")[0] or type(error).__name__
    return ""


def on_gpu(tensor: torch.Tensor) -> bool:
    """Whether a tensor is where the kernels for a GPU run."""
    return tensor.is_cuda and not missing(tensor.device)


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A call of a kernel on the CPU that can be done many times, with what stands in its tensors then."""

    call: calls.Call
    job: Any
    threads: int
    fields: dict[str, object]
    """They have to live as long as the call."""

    def __call__(self, threads: int = 0) -> None:
        """Does it, on so many threads if that is not 0."""
        self.call.function(pool(threads or self.threads), self.job)


_CALLS: dict[tuple[object, ...], calls.Call] = {}
"""Those that have been checked, by all that tells one kind of call from another."""


def run(function: str, struct: str, threads: int, **fields: torch.Tensor | float | None) -> None:
    """Calls a kernel with a struct of these fields; tensors must be on the CPU, or on the GPU in use.

    Raises `TypeError` if they are not those of the struct (calls.py).
    """
    call = _checked(function, struct, fields)
    if call.on_gpu:
        from pufftui.trainer.kernels import gpu

        gpu.run(function, **fields)
    else:
        call.function(pool(threads), call.job(fields))


def prepared(
    function: str,
    struct: str,
    threads: int,
    **fields: torch.Tensor | Prepared | float | None,
) -> Prepared:
    """The call that `run` would do; a field may itself be a prepared one, whose struct is meant."""
    values = {
        name: value.job if isinstance(value, Prepared) else value for name, value in fields.items()
    }
    call = _checked(function, struct, values)
    return Prepared(call, call.job(values), threads, dict(fields))


def _checked(function: str, struct: str, fields: dict[str, Any]) -> calls.Call:
    kind = (function, fields.get("bf16"), *fields, *calls.kinds(fields.values()))
    call = _CALLS.get(kind)
    if call is None:
        call = _CALLS[kind] = calls.checked(*opened(), function, struct, fields)
    return call
