"""Compiles C for the tests, with the flags of CMakeLists.txt."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pufftui.envs.library import EnvLibrary, load_library

ROOT = Path(__file__).parents[1]
FLAGS = (
    *("-std=gnu11", "-O3", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off"),
    *("-fvisibility=hidden", "-D_GNU_SOURCE", f"-I{ROOT / 'envs'}"),
)


@dataclass
class Compiler:
    """Builds each thing once in a session."""

    command: str
    folder: Path
    root: Path = ROOT
    built: dict[tuple[str, ...], Path] = field(default_factory=dict)

    def build(self, source: str, *flags: str) -> Path:
        """A program (or with -shared a library) from a C file, given relative to the root."""
        key = (source, *flags)
        if key not in self.built:
            target = self.folder / f"{Path(source).stem}-{len(self.built)}"
            result = subprocess.run(
                [
                    *(self.command, *FLAGS, *flags, f"-I{(ROOT / source).parent}"),
                    *(str(ROOT / source), "-o", str(target), "-lpthread", "-lm"),
                ],
                capture_output=True,
                text=True,
                check=False,
            )
            assert result.returncode == 0, result.stderr
            self.built[key] = target
        return self.built[key]

    def library(self, source: str, *flags: str) -> Path:
        """The shared library of an environment."""
        return self.build(source, "-shared", "-fPIC", *flags)

    def run(self, source: str, *flags: str, arguments: tuple[str, ...] = ()) -> None:
        """Builds a program and expects it to end well."""
        program = self.build(source, *flags)
        result = subprocess.run(
            [str(program), *arguments], capture_output=True, text=True, check=False, timeout=300
        )
        assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="session")
def compiler(tmp_path_factory: pytest.TempPathFactory) -> Compiler:
    named = os.environ.get("CC")
    command = named or next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)
    if command is None:
        pytest.skip("there is no C compiler; the CC variable can name one")
    return Compiler(command, tmp_path_factory.mktemp("c"))


@pytest.fixture(scope="session")
def crowd(compiler: Compiler) -> EnvLibrary:
    """The test environment of tests/c/crowd.c."""
    return load_library(compiler.library("tests/c/crowd.c"))
