"""Writes the beginning of a new environment: one that trains at once, to be changed."""

from __future__ import annotations

import re
import secrets
import shutil
from pathlib import Path

from pufftui.envs.catalogue import env_names, installed_names
from pufftui.envs.errors import PuffError

TEMPLATE = Path(__file__).parent / "template"
PLACEHOLDER = "NAME"
"""Stands for the environment's name in the template, and `env` in the names of its files."""


def new_env(name: str, parent: Path) -> Path:
    """Makes the folder `name` in `parent`, filled; raises `PuffError` if it may not."""
    _check_name(name)
    folder = parent / name
    if folder.exists():
        what = "folder" if folder.is_dir() else "file"
        raise PuffError(f"There is a {what} {folder} already.", "Choose another name.", usage=True)
    if not parent.is_dir():
        raise PuffError(f"There is no folder {parent}.", "Make it first.", usage=True)
    unfinished = parent / f".new-{name}-{secrets.token_hex(8)}"
    try:
        unfinished.mkdir()
    except OSError as error:
        raise _unwritable(folder, error) from None
    try:
        for part in TEMPLATE.glob("*.in"):
            text = part.read_text(encoding="utf-8").replace(PLACEHOLDER, name)
            target = part.name.removesuffix(".in").replace("env", name)
            (unfinished / target).write_text(text, encoding="utf-8")
        return unfinished.rename(folder)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise _unwritable(folder, error) from None


def _unwritable(folder: Path, error: OSError) -> PuffError:
    return PuffError(
        f"{folder} cannot be written ({error.strerror or error}).",
        "Choose another place with --in.",
    )


def _check_name(name: str) -> None:
    if not _is_name(name):
        raise PuffError(f"{name!r} cannot name an environment.", _better_name(name), usage=True)
    if name in [*env_names(), *installed_names()]:
        raise PuffError(
            f"There is an environment {name} already.", "Choose another name.", usage=True
        )


def _is_name(name: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,39}", name)) and not name.startswith("puff")


def _better_name(name: str) -> str:
    rule = (
        "It becomes part of names in C: use letters, digits and underscores, a letter first, at most "
        "40; names that begin with puff are taken."
    )
    better = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")
    return f"{rule} Perhaps {better}?" if _is_name(better) else rule
