"""Checkpoint files: named numpy arrays and a description, written so that a power cut is harmless.

A checkpoint is an .npz file without pickles. It appears under its name only when it is complete
and on disk, and every array in it carries a checksum, so a torn file is recognised.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.errors import PuffError

FORMAT = 1
DESCRIPTION = "description"
PARTIAL = ".*.partial"
"""Names of files that are being written, or were when the process died."""


def write_checkpoint(
    path: Path, arrays: Mapping[str, NDArray[Any]], description: Mapping[str, Any]
) -> None:
    """Writes a checkpoint atomically; raises `PuffError` if the disk refuses."""
    text = json.dumps({"format": FORMAT, **description})
    try:
        write_whole(path, {DESCRIPTION: np.array(text), **arrays})
    except OSError as error:
        raise PuffError(
            f"The checkpoint {path.name} could not be written ({error.strerror}).",
            f"Free space in {path.parent} or make it writable.",
        ) from None


def write_whole(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Writes an .npz file that appears complete and on disk, or not at all; may raise `OSError`."""
    temporary = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            contents: dict[str, Any] = dict(arrays)
            np.savez(file, **contents)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def read_checkpoint(
    path: Path, section: str = ""
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """The arrays whose names begin with `section`, and the description.

    Raises `PuffError` if the file is torn or foreign.
    """
    with _opened(path) as file:
        names = [name for name in file.files if name.startswith(section) and name != DESCRIPTION]
        arrays = {name: file[name] for name in names}
        return arrays, _describe(path, file)


def read_description(path: Path) -> dict[str, Any]:
    """The description alone; raises `PuffError` if the file is torn or foreign."""
    with _opened(path) as file:
        return _describe(path, file)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with np.load(path, allow_pickle=False) as file:
            yield file
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise PuffError(
            f"{path.name} is not a whole checkpoint ({error}).", "Use an older one."
        ) from None


def _describe(path: Path, file: Any) -> dict[str, Any]:
    description: dict[str, Any] = json.loads(str(file[DESCRIPTION]))
    if description.get("format") != FORMAT:
        raise PuffError(
            f"{path.name} has format {description.get('format')}, this pufftui reads {FORMAT}.",
            "Use the version of pufftui that wrote it.",
        )
    return description


@dataclass(frozen=True, slots=True, eq=False)
class Saved:
    """A checkpoint that was read: where it is, its arrays, its description."""

    path: Path
    arrays: dict[str, NDArray[Any]]
    description: dict[str, Any]


def newest_checkpoint(folder: Path, section: str = "") -> tuple[Saved | None, list[str]]:
    """The whole checkpoint that was written last, and why others were passed over.

    A run that went back may have a pinned one of a later step, which is not where it is now. Of the
    arrays only those are read whose names begin with `section`.
    """
    passed_over, found = [], []
    for path in sorted(folder.glob("step-*.npz"), reverse=True):
        try:
            found.append((read_description(path).get("written", 0.0), path))
        except PuffError as error:
            passed_over.append(error.message)
    for _, path in sorted(found, reverse=True):
        try:
            arrays, description = read_checkpoint(path, section)
        except PuffError as error:
            passed_over.append(error.message)
        else:
            return Saved(path, arrays, description), passed_over
    return None, passed_over


def best_checkpoint(folder: Path, section: str = "") -> Saved | None:
    """The whole checkpoint with the best score, of equals the newest; None if none has a score."""
    found = []
    for path in folder.glob("step-*.npz"):
        with contextlib.suppress(PuffError):
            score = read_description(path).get("score")
            if score is not None:
                found.append((score, path))
    for _, path in sorted(found, reverse=True):
        with contextlib.suppress(PuffError):
            return Saved(path, *read_checkpoint(path, section))
    return None


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network filesystems do not know this; they refuse nothing else.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)
