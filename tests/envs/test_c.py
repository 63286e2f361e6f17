"""Runs the tests that are written in C, and the environments under the compiler's sanitizers."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pufftui.envs.catalogue import env_names

if TYPE_CHECKING:
    from conftest import Compiler

SANITIZE = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover")
RACES = ("-O1", "-g", "-fsanitize=thread")
STRESSED = [*(f"envs/{name}/{name}.c" for name in env_names()), "tests/c/crowd.c"]


@cache
def works(command: str, folder: Path, flag: str) -> bool:
    """Whether a compiler's program with this flag runs."""
    source = folder / "empty.c"
    source.write_text("int main(void) { return 0; }\n", encoding="utf-8")
    program = source.with_suffix(".out")
    build = [command, flag, str(source), "-o", str(program)]
    return not any(
        subprocess.run(each, capture_output=True, check=False).returncode
        for each in (build, [str(program)])
    )


def skip_without(compiler: Compiler, flag: str) -> None:
    """Some compilers lack the sanitizers' libraries, and some kernels the memory layout they need."""
    if not works(compiler.command, compiler.folder, flag):
        pytest.skip(f"{flag} does not work here")


@pytest.mark.parametrize(
    "source",
    ["tests/c/test_canvas.c", "tests/c/test_random.c"]
    + [f"envs/{name}/test_{name}.c" for name in env_names()],
)
def test_written_in_c(compiler: Compiler, source: str):
    skip_without(compiler, SANITIZE[2])
    compiler.run(source, *SANITIZE)


def stress(compiler: Compiler, source: str, flags: tuple[str, ...], steps: int) -> None:
    folder, _, name = source.rpartition("/")
    define = (f'-DENV="{name}"', f"-I{compiler.root / folder}")
    compiler.run("tests/c/stress.c", *flags, *define, arguments=(str(steps),))


@pytest.mark.parametrize("source", STRESSED)
def test_a_million_steps_with_sanitizers(compiler: Compiler, source: str):
    skip_without(compiler, SANITIZE[2])
    stress(compiler, source, SANITIZE, 1_000_000)


@pytest.mark.parametrize("source", STRESSED)
def test_no_races(compiler: Compiler, source: str):
    skip_without(compiler, RACES[2])
    stress(compiler, source, RACES, 150_000)
