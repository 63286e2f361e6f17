"""Looks at the machine: what pufftui needs, whether it is there, and how to mend what is not."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from pufftui.appearance.glyphs import fitting
from pufftui.doctor.hardware import CPU_BUILD, CUDA_BUILD, gpus, torch_build
from pufftui.envs.catalogue import env_names, load_env
from pufftui.envs.compiler import MISSING, find_compiler, install_command
from pufftui.envs.cores import available_cores
from pufftui.envs.errors import PuffError
from pufftui.trainer.run.folder import runs_root


class Status(Enum):
    """How much a finding matters."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `fix` says what to do unless all is well."""

    name: str
    status: Status
    text: str
    fix: str = ""


def examine() -> list[Finding]:
    """Everything there is to say about this machine; takes well under a second."""
    examinations: tuple[Callable[[], Finding], ...] = (
        _python,
        _compiler,
        _torch,
        _gpu,
        _processor,
        _environments,
        _terminal,
        _colours,
        _letters,
        _runs_folder,
    )
    return [examination() for examination in examinations]


def _python() -> Finding:
    text = f"{platform.python_version()} in {sys.prefix}, pufftui {version('pufftui')}"
    return Finding("python", Status.OK, text)


def _compiler() -> Finding:
    command = find_compiler()
    if command is None:
        return Finding("compiler", Status.WARNING, MISSING, install_command())
    said = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)
    version_line = said.stdout.partition("\n")[0]
    return Finding("compiler", Status.OK, f"{' '.join(command)}: {version_line}")


def _torch() -> Finding:
    build = torch_build()
    if build is None:
        return Finding("torch", Status.PROBLEM, "not installed", "pip install torch")
    cards = gpus().gpus
    if build.cuda:
        text = f"{build.version}, built for CUDA {build.cuda}"
        if cards:
            return Finding("torch", Status.OK, text)
        return Finding(
            "torch", Status.OK, f"{text}; without a GPU a far smaller build does: {CPU_BUILD}"
        )
    text = f"{build.version}, built for the CPU"
    if cards:
        return Finding("torch", Status.WARNING, f"{text}, so the GPU cannot be used", CUDA_BUILD)
    return Finding("torch", Status.OK, text)


def _gpu() -> Finding:
    readings = gpus()
    if not readings.gpus:
        return Finding("gpu", Status.OK, f"{readings.note}; training runs on the CPU")
    cards = [
        gpu.name + (f" ({gpu.memory_total / 2**30:.0f} GB)" if gpu.memory_total else "")
        for gpu in readings.gpus
    ]
    text, build = ", ".join(cards), torch_build()
    if sys.platform == "linux" and build is not None and build.cuda:
        # As trainer/kernels/gpu.py needs them; the compiler is for what starts its kernels.
        if find_spec("triton") is None:
            text = f"{text}; training is slower without Triton"
            return Finding("gpu", Status.WARNING, text, "pip install triton")
        if find_compiler() is None:
            text = f"{text}; training is slower without a C compiler, which Triton needs"
            return Finding("gpu", Status.WARNING, text, install_command())
    return Finding("gpu", Status.OK, text)


def _processor() -> Finding:
    cores = available_cores()
    text = f"{cores} of {os.cpu_count()} cores usable"
    try:
        flags = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    except OSError:
        return Finding("processor", Status.OK, text)
    known = {"avx2": "AVX2", "avx512f": "AVX-512", "avx512_bf16": "bf16", "amx_bf16": "AMX"}
    abilities = [name for flag, name in known.items() if flag in flags]
    return Finding("processor", Status.OK, ", ".join([text, *abilities]))


def _environments() -> Finding:
    broken: list[PuffError] = []
    for name in env_names():
        try:
            load_env(name)
        except PuffError as error:
            broken.append(error)
    if broken:
        text = " ".join(error.message for error in broken)
        return Finding("environments", Status.PROBLEM, text, broken[0].hint)
    return Finding("environments", Status.OK, ", ".join(env_names()))


def _terminal() -> Finding:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        text = "this is not a terminal, so the dashboard cannot be shown"
        return Finding("terminal", Status.WARNING, text, "pufftui train ENV --headless")
    name = os.environ.get("TERM", "")
    if name in ("", "dumb"):
        text = f"TERM is {name or 'not set'}, so the dashboard cannot be shown"
        return Finding("terminal", Status.WARNING, text, "export TERM=xterm-256color")
    columns, rows = shutil.get_terminal_size()
    text = f"{name}, {columns}x{rows}"
    if columns < 80 or rows < 24:
        return Finding("terminal", Status.WARNING, text, "make it 80x24 or larger")
    return Finding("terminal", Status.OK, text)


def _colours() -> Finding:
    told = os.environ.get("COLORTERM", "")
    if told in ("truecolor", "24bit"):
        return Finding("colours", Status.OK, "16 million")
    text = "the terminal does not say that it can show 16 million colours"
    return Finding("colours", Status.WARNING, text, "if it can: export COLORTERM=truecolor")


def _letters() -> Finding:
    if not fitting().ascii_only:
        return Finding("letters", Status.OK, "UTF-8")
    text = "TERM and the locale promise only ASCII, so screens are drawn with that"
    fix = "if the terminal can show more: export LC_ALL=C.UTF-8, or --no-ascii"
    return Finding("letters", Status.WARNING, text, fix)


def _runs_folder() -> Finding:
    root = runs_root()
    place = next(folder for folder in (root, *root.parents) if os.path.exists(folder))  # noqa: PTH110 - also of a name that is too long
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        text = f"{root} cannot be written ({error.strerror})"
        return Finding("runs", Status.PROBLEM, text, "export PUFFTUI_RUNS=/another/folder")
    free = shutil.disk_usage(place).free / 2**30
    text = f"{root}, {free:.0f} GB free"
    if free < 1:
        return Finding("runs", Status.WARNING, text, "export PUFFTUI_RUNS=/another/folder")
    return Finding("runs", Status.OK, text)
