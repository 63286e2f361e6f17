"""The elementwise parts of training as C kernels; torch tensors go in by address."""

from __future__ import annotations

import functools
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cffi

from pufftui.envs.errors import PuffError
from pufftui.envs.headers import declarations
from pufftui.envs.library import SUFFIX

if TYPE_CHECKING:
    import torch


class _Pools(threading.local):
    def __init__(self) -> None:
        self.by_threads: dict[int, Any] = {}


_POOLS = _Pools()


@functools.cache
def _opened() -> tuple[cffi.FFI, Any]:
    ffi = cffi.FFI()
    ffi.cdef(declarations(Path(__file__).parent / "kernels.h"))
    candidates = [Path(root) / f"libkernels{SUFFIX}" for root in __path__]
    path = next((path for path in candidates if path.exists()), candidates[0])
    try:
        return ffi, ffi.dlopen(str(path))
    except OSError as error:
        raise PuffError(
            f"The library {path.name} cannot be opened ({error}).", "Reinstall: pip install ."
        ) from None


def _pool(threads: int) -> Any:
    """The calling thread's own pool, since a pool does one call at a time."""
    pools = _POOLS.by_threads
    if threads not in pools:
        ffi, lib = _opened()
        pool = lib.puff_kernels_create(threads) or lib.puff_kernels_create(1)
        pools[threads] = ffi.gc(pool, lib.puff_kernels_destroy)
    return pools[threads]


def run(function: str, struct: str, threads: int, **fields: torch.Tensor | float | None) -> None:
    """Calls a kernel with a struct of these fields; tensors must be on the CPU.

    Their layout is the caller's to check: contiguous unless the field's comment says otherwise.
    """
    ffi, lib = _opened()
    job = ffi.new(f"{struct} *")
    for name, value in fields.items():
        if isinstance(value, (int, float)):
            setattr(job, name, value)
        elif value is not None:
            setattr(job, name, ffi.cast("void *", value.data_ptr()))
    getattr(lib, function)(_pool(threads), job)
