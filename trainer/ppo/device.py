"""Which device, number format and threads a run uses."""

from __future__ import annotations

import contextlib
import platform
import re
from collections.abc import Iterator
from pathlib import Path

import torch

from pufftui.envs.cores import available_cores
from pufftui.envs.errors import PuffError
from pufftui.trainer import kernels


def choose_device(name: str, local_rank: int = 0) -> torch.device:
    """The device of that name; raises `PuffError` for a GPU that is not there.

    `auto` is a GPU if there is one, else the CPU. Without a number each process on this machine
    takes the GPU of its rank.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cpu":
        return torch.device("cpu")
    kind, _, index = name.partition(":")
    if kind != "cuda" or not (index == "" or index.isdigit()):
        raise PuffError(f"There is no device {name}.", "Use auto, cpu, cuda or cuda:N.", usage=True)
    if not torch.cuda.is_available():
        build = "has no CUDA support" if torch.version.cuda is None else "finds no GPU"
        raise PuffError(
            f"The device {name} cannot be used: torch {torch.__version__} {build}.",
            "Run `pufftui doctor`, or train with --device cpu.",
        )
    if int(index or local_rank) >= torch.cuda.device_count():
        raise PuffError(
            f"There is no GPU {index or local_rank}.",
            f"torch sees {torch.cuda.device_count()}, counted from 0.",
            usage=True,
        )
    return torch.device(f"cuda:{index or local_rank}")


def product_dtype(precision: str, device: torch.device) -> torch.dtype:
    """Number format of matrix products: bf16 where asked for or where the hardware is fast at it."""
    if precision == "auto":
        fast = (
            torch.cuda.is_bf16_supported()
            if kernels.is_gpu(device)
            else torch.cpu._is_avx512_bf16_supported()  # noqa: SLF001
            or torch.cpu._is_amx_tile_supported()  # noqa: SLF001
        )
        return torch.bfloat16 if fast else torch.float32
    return torch.bfloat16 if precision == "bf16" else torch.float32


def processor() -> str:
    """The CPU's model, for saying whether two runs can be compared bit by bit."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def thread_count(requested: int) -> int:
    """Threads for environments and torch: as requested, else the cores this process may use."""
    return requested or available_cores()


@contextlib.contextmanager
def memory_errors_in_words() -> Iterator[None]:
    """A `PuffError` that says what to do, in place of torch's when a GPU's memory is used up."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        wanted = re.search(r"[Tt]ried to allocate ([\d.]+ \w+)", str(error))
        more = f" ({wanted[1]} more)" if wanted else ""
        raise PuffError(
            f"This run needs more memory than the GPU has{more}.",
            "Lower --vec.agents or --train.max-forward-size, or try --vec.observations host.",
        ) from None
