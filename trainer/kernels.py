"""Opens the C kernels of kernels.h; torch tensors go in by address."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cffi

import pufftui.trainer
from pufftui.envs.catalogue import SUFFIX
from pufftui.envs.errors import PuffError

if TYPE_CHECKING:
    import torch


@functools.cache
def interface() -> tuple[cffi.FFI, Any]:
    """The declarations and the opened library."""
    ffi = cffi.FFI()
    header = (Path(__file__).parent / "kernels.h").read_text(encoding="utf-8")
    declarations = header.split("/* cdef begin */")[1].split("/* cdef end */")[0]
    ffi.cdef(re.sub(r"/\*.*?\*/", "", declarations, flags=re.DOTALL))
    candidates = [Path(root) / f"libkernels{SUFFIX}" for root in pufftui.trainer.__path__]
    path = next((path for path in candidates if path.exists()), candidates[0])
    try:
        return ffi, ffi.dlopen(str(path))
    except OSError as error:
        raise PuffError(
            f"The library {path.name} cannot be opened ({error}).", "Reinstall: pip install ."
        ) from None


def run(function: str, struct: str, **fields: torch.Tensor | float | None) -> None:
    """Calls a kernel with a struct of these fields; tensors must be contiguous and on the CPU."""
    ffi, lib = interface()
    job = ffi.new(f"{struct} *")
    for name, value in fields.items():
        if value is None:
            continue
        if isinstance(value, (int, float)):
            setattr(job, name, value)
            continue
        if not value.is_contiguous():
            raise ValueError(f"{name} must be contiguous")
        setattr(job, name, ffi.cast("void *", value.data_ptr()))
    getattr(lib, function)(job)
