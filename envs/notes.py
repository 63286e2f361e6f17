"""Notes which environment folders a person has asked to build, among their own settings.

Whose folder it is says nothing: what was unpacked belongs to whoever unpacked it. So each note names one
folder, by device, inode and path, and the sources that it had. It is a file of its own, replaced whole.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import tomllib
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

from pufftui.envs.errors import PuffError
from pufftui.envs.places import own_folder
from pufftui.envs.reading import read_small_text
from pufftui.envs.sources import Sources, are_same, read_sources


class Standing(Enum):
    """What a person has had to do with an environment's folder."""

    NOTED = "they have built it as it is now"
    CHANGED = "they have built it when it was different"
    UNKNOWN = "they have never built it"


def notes_folder() -> Path:
    """Where the notes are."""
    return own_folder("XDG_CONFIG_HOME", ".config") / "environments"


def note(source: Path) -> str:
    """Notes the folder of a C file, whose owner has just asked to build it.

    Returns why that could not be done, nothing if it could: training needs no note.
    """
    place = notes_folder()
    try:
        file = place / _name(source.parent)
        place.mkdir(parents=True, exist_ok=True)
        _write(file, _text(source, read_sources(source)))
        for other in _notes_of(source.parent):
            if other != file:  # of a folder that lay here before
                other.unlink(missing_ok=True)
    except OSError as error:
        return error.strerror or str(error)
    except PuffError as error:
        return error.message
    return ""


def standing(source: Path) -> Standing:
    """Whether the folder of a C file is noted as it is now; reads nothing of a folder that is not."""
    with contextlib.suppress(OSError, PuffError, KeyError, TypeError, AttributeError):
        noted = _read(notes_folder() / _name(source.parent))
        here = noted["path"] == os.path.realpath(source.parent)
        if here and are_same(source, Sources(noted["own"], noted["others"])):
            return Standing.NOTED
    was_noted = any(True for _ in _notes_of(source.parent))
    return Standing.CHANGED if was_noted else Standing.UNKNOWN


def noted_folders(name: str) -> list[Path]:
    """The folders of that name that are noted, whatever has become of them since; sorted."""
    return sorted({Path(path) for _, path in _noted() if Path(path).name == name})


def _notes_of(folder: Path) -> Iterator[Path]:
    """Those of any folder that had this path, also of one that was replaced whole."""
    path = os.path.realpath(folder)
    return (file for file, noted in _noted() if noted == path)


def _noted() -> Iterator[tuple[Path, str]]:
    """Every note's file, and the path of the folder that it is about."""
    with contextlib.suppress(OSError):
        for file in sorted(notes_folder().glob("*.toml")):
            with contextlib.suppress(OSError):
                path = _read(file).get("path")
                if isinstance(path, str):
                    yield file, path


def _name(folder: Path) -> str:
    found = folder.stat()
    return f"{found.st_dev:x}-{found.st_ino:x}.toml"


def _read(file: Path) -> dict[str, Any]:
    """A note; empty if it is damaged."""
    try:
        return tomllib.loads(read_small_text(file))
    except (ValueError, RecursionError):
        return {}


def _text(source: Path, sources: Sources) -> str:
    others = [f"{_quoted(path)} = {_quoted(digest)}" for path, digest in sources.others.items()]
    return "\n".join(
        [
            "# Written by pufftui: you have asked it to build the environment in this folder.",
            "# If you remove this file, commands no longer build it when a run names it.",
            f"path = {_quoted(os.path.realpath(source.parent))}",
            f"own = {_quoted(sources.own)}",
            "",
            "[others]",
            *others,
            "",
        ]
    )


def _quoted(text: str) -> str:
    # TOML escapes as JSON does, and DEL besides. What is no UTF-8 cannot be kept, and is not.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _write(file: Path, text: str) -> None:
    """Whole, or not at all."""
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".new-", delete=False) as new:
        try:
            new.write(text.encode(errors="surrogateescape"))
            new.flush()
            Path(new.name).replace(file)
        except BaseException:
            Path(new.name).unlink(missing_ok=True)
            raise
