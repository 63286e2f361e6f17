"""Finds the C compiler; where there is none, says what to install."""

from __future__ import annotations

import os
import shlex
import shutil
import sys

from pufftui.envs.errors import PuffError

NAMES = ("cc", "gcc", "clang")
MISSING = "no C compiler, needed to build environments"
PACKAGES = {"apt-get": "apt install", "dnf": "dnf install", "pacman": "pacman -S"}
"""Package managers, and how each of them installs something."""


def find_compiler() -> list[str] | None:
    """The compiler's program, with the flags that `$CC` gives it; None if there is none."""
    named = _named()
    for program, *flags in [named] if named else [[name] for name in NAMES]:
        path = shutil.which(program)
        if path:
            return [path, *flags]
    return None


def _named() -> list[str]:
    """The words of the variable CC; what is quoted wrongly is one word, that of no program."""
    text = os.environ.get("CC", "").strip()
    try:
        return shlex.split(text)
    except ValueError:
        return [text]


def need_compiler() -> list[str]:
    """The compiler; raises `PuffError` that says how to get one."""
    command = find_compiler()
    if command:
        return command
    if named := os.environ.get("CC", "").strip():
        raise PuffError(
            f"The C compiler {named}, which the variable CC names, is not there.",
            "Set CC to another one, or unset it to use the usual one.",
        )
    raise PuffError(f"There is {MISSING}.", f"Get one: {install_command()}.")


def install_command() -> str:
    """What installs a compiler on this machine."""
    if sys.platform == "darwin":
        return "xcode-select --install"
    for tool, command in PACKAGES.items():
        if shutil.which(tool):
            return f"sudo {command} gcc"
    return "install gcc"
