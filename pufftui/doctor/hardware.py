"""Which device training can use, found out without importing torch."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution

from pufftui.envs.errors import PuffError
from pufftui.trainer.monitor.system import GpuReadings, GpuSampler

CUDA_BUILD = (
    "pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/cu130"
)
CPU_BUILD = "pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/cpu"


@dataclass(frozen=True, slots=True)
class TorchBuild:
    """The installed torch: its version, and the CUDA version it was built for or None."""

    version: str
    cuda: str | None


def torch_build() -> TorchBuild | None:
    """What is installed, read from torch's own files; None if there is no torch."""
    try:
        package = distribution("torch")
    except PackageNotFoundError:
        return None
    # torch writes its build into a small module of assignments: `cuda: Optional[str] = '13.0'`.
    text = package.read_text("../torch/version.py") or ""
    cuda = re.search(r"^cuda\b[^=]*=\s*['\"]([^'\"]+)", text, re.MULTILINE)
    version = re.search(r"^__version__\s*=\s*['\"]([^'\"]+)", text, re.MULTILINE)
    return TorchBuild(version[1] if version else package.version, cuda[1] if cuda else None)


def gpus() -> GpuReadings:
    """The NVIDIA GPUs that this process may use."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None and visible.strip() in ("", "-1"):
        return GpuReadings(note="hidden by CUDA_VISIBLE_DEVICES")
    sampler = GpuSampler()
    sampler.sample()
    return sampler.latest


def device_kind(device: str) -> str:
    """`cpu` or `cuda` for a device's name; `auto` takes a GPU where one can be used.

    Raises `PuffError` for a name that is none and for a GPU that cannot be used.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
        raise PuffError(
            f"There is no device {device!r}.", "Use auto, cpu, cuda or cuda:1.", usage=True
        )
    if device == "cpu":
        return "cpu"
    build, found = torch_build(), gpus()
    if device == "auto":
        return "cuda" if build and build.cuda and found.gpus else "cpu"
    if not found.gpus:
        raise PuffError(
            f"There is no GPU to train on ({found.note}).", "Use --device cpu.", usage=True
        )
    if not build or not build.cuda:
        raise PuffError(
            "The installed torch cannot use the GPU.", f"Install one that can: {CUDA_BUILD}"
        )
    index = int(device.partition(":")[2] or 0)
    if index >= len(found.gpus):
        raise PuffError(
            f"There is no {device}: this machine has {len(found.gpus)} GPU(s), counted from 0.",
            "Use --device cuda.",
            usage=True,
        )
    return "cuda"
