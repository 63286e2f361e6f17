"""Folders that the environment's variables name, whatever somebody has written into them."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

NOWHERE = Path(os.devnull)
"""In place of the home folder of a user who has none: nothing is found in it, nothing can be made."""


def home() -> Path:
    """The person's home folder; `NOWHERE` if they have none."""
    named = os.environ.get("HOME", "")
    if Path(named).is_absolute():
        return Path(named)
    try:
        registered = pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return NOWHERE
    return Path(registered) if Path(registered).is_absolute() else NOWHERE


def expanded(path: str) -> Path:
    """An absolute path; `~` is the home folder, and links keep their names.

    As in a shell, `~somebody` that nobody is called remains as it is written.
    """
    if path == "~" or path.startswith("~/"):
        return home() / path[2:]
    return Path(os.path.abspath(os.path.expanduser(path)))  # noqa: PTH100, PTH111 - never raises


def is_text(path: str) -> bool:
    """Whether a path is UTF-8, so that it can be written into files and shown."""
    return path == path.encode(errors="ignore").decode()


def own_folder(variable: str, usual: str) -> Path:
    """Where pufftui keeps something for one person: `$XDG_..._HOME/pufftui`, else `~/<usual>/pufftui`.

    A relative path there counts as none, as the XDG standard wants it: a stranger's folder that one
    happens to stand in must not pass for one's own.
    """
    named = os.environ.get(variable, "")
    root = expanded(named) if named.startswith(("/", "~/")) else home() / usual
    return root / "pufftui"
