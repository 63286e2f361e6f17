"""Checkpoint files: named numpy arrays and a description, written so that a power cut is harmless.

A checkpoint is an .npz file without pickles. It appears under its name only when it is complete
and on disk. Every array in it carries a checksum, and so does the list of them, so a file that is
torn or damaged is recognised.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.errors import PuffError
from pufftui.trainer.files.arrays import (
    ArraysFile,
    NotWhole,
    opened,
    partial_name,
    write_into,
    write_whole,
)

FORMAT = 2
OLDEST_FORMAT = 1
"""Without a checksum of the list of arrays, and without a branch."""

DESCRIPTION = "description"
NAMES = "step-*.npz"
PARTIAL = partial_name(NAMES)
"""Names of files that are being written, or were when the process died."""

GAMES = ("rollout/", "environments", "build")
"""Begin the names of the arrays that hold the games in progress; without them new ones begin."""

Section = str | tuple[str, ...]
"""With what the names of arrays begin; one of several."""

NEEDED: dict[str, type | tuple[type, ...]] = {
    "step": int,
    "epoch": int,
    "seconds": (int, float),
    "config": str,
}
"""What the description of every checkpoint of a run says."""


@dataclass(frozen=True, slots=True, eq=False)
class Saved:
    """A checkpoint that was read: where it is, its arrays, its description."""

    path: Path
    arrays: dict[str, NDArray[Any]]
    description: dict[str, Any]


def checkpoint_name(step: int) -> str:
    """The file's name; in the order of the steps."""
    return f"step-{step:014d}.npz"


def place(description: Mapping[str, Any]) -> tuple[int, int]:
    """Where in its run a checkpoint stands: the later one is where the run went on.

    A run that goes back begins a branch. Within one, steps only grow. No clock has a say.
    """
    return int(description.get("branch", 0)), int(description["step"])


def write_checkpoint(
    path: Path,
    arrays: Mapping[str, NDArray[Any]],
    description: Mapping[str, Any],
    folder: int | None = None,
) -> None:
    """Writes a checkpoint atomically; with `folder`, an open folder, `path` is a name in it.

    Raises `PuffError` if the disk refuses.
    """
    text = json.dumps({"format": FORMAT, "arrays": _list_checksum(arrays), **description})
    contents = {DESCRIPTION: np.array(text), **arrays}
    try:
        if folder is None:
            write_whole(path, contents)
        else:
            write_into(folder, path.name, contents)
    except OSError as error:
        raise unwritable(path, error) from None


def unwritable(path: Path, error: OSError) -> PuffError:
    """Says that a checkpoint could not be written."""
    return PuffError(
        f"The checkpoint {path.name} could not be written ({error.strerror or error}).",
        f"Free space in {path.parent} or make it writable.",
    )


def read_checkpoint(
    path: Path, section: Section = "", folder: int | None = None
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """The arrays whose names begin with `section`, and the description.

    With `folder`, an open folder, `path` is a name in it. Raises `PuffError` if the file is damaged
    or foreign.
    """
    try:
        with opened(path, folder) as file:
            description = _describe(path, file)
            names = [name for name in file.names if name.startswith(section)]
            arrays = {name: file.read(name) for name in names if name != DESCRIPTION}
            return arrays, description
    except NotWhole as error:
        raise _not_whole(path, error) from None


def read_description(path: Path, folder: int | None = None) -> dict[str, Any]:
    """The description alone, as `read_checkpoint`."""
    try:
        with opened(path, folder) as file:
            return _describe(path, file)
    except NotWhole as error:
        raise _not_whole(path, error) from None


def read_saved(path: Path, section: Section = "", folder: int | None = None) -> Saved:
    """A checkpoint of a run that can be gone on from.

    Raises `PuffError` if it is damaged or foreign, or if it holds numbers that are not finite.
    """
    arrays, description = read_checkpoint(path, section, folder)
    _expect_needed(path, description)
    bad = not_finite(arrays)
    if bad:
        message = f"{path.name} holds numbers that are not finite ({bad[0]})."
        raise PuffError(message, "Use an older one.")
    return Saved(path, arrays, description)


def not_finite(arrays: Mapping[str, NDArray[Any]]) -> list[str]:
    """Names of the arrays from which no run could go on.

    A mean over episodes may be unknown; weights, their momentum and the policy's memory may not.
    """
    lasting = ("policy/", "optimizer/", "rollout/state")
    return [
        name
        for name, array in arrays.items()
        if name.startswith(lasting) and array.dtype.kind == "f" and not np.isfinite(array).all()
    ]


def without_games(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """What lasts beyond the games in progress."""
    return {name: array for name, array in arrays.items() if not name.startswith(GAMES)}


def newest_checkpoint(folder: Path, section: Section = "") -> tuple[Saved | None, list[str]]:
    """The sound checkpoint where the run was last, and why later ones were passed over.

    A run that went back may have a pinned one of a later step, which is not where it is now. Of the
    arrays only those are read whose names begin with `section`. If no other is left, one whose
    games alone are spoiled is given without them.
    """
    passed_over, found = [], []
    for path in sorted(folder.glob(NAMES), reverse=True):
        try:
            description = read_description(path)
            _expect_needed(path, description)
            found.append((place(description), path))
        except PuffError as error:
            passed_over.append(error.message)
    spoiled: list[Path] = []
    for _, path in sorted(found, reverse=True):
        try:
            return read_saved(path, section), passed_over
        except PuffError as error:
            passed_over.append(error.message)
            spoiled.append(path)
    for path in spoiled:
        saved = _without_games(path, section)
        if saved is not None:
            return saved, passed_over
    return None, passed_over


def best_checkpoint(folder: Path, section: str = "") -> Saved | None:
    """The sound checkpoint with the best score, of equals the newest; None if none has a score."""
    found = []
    for path in folder.glob(NAMES):
        try:
            score = read_description(path).get("score")
        except PuffError:
            continue
        if isinstance(score, (int, float)):
            found.append((score, path))
    for _, path in sorted(found, reverse=True):
        try:
            return read_saved(path, section)
        except PuffError:
            continue
    return None


def _without_games(path: Path, section: Section) -> Saved | None:
    try:
        arrays, description = read_checkpoint(path, section)
    except PuffError:
        return None
    arrays = without_games(arrays)
    return None if not_finite(arrays) else Saved(path, arrays, description | {"games": False})


def _describe(path: Path, file: ArraysFile) -> dict[str, Any]:
    description = json.loads(str(file.read(DESCRIPTION)))
    if not isinstance(description, dict):
        raise TypeError("its description is damaged")
    found = description.get("format")
    if found not in range(OLDEST_FORMAT, FORMAT + 1):
        raise PuffError(
            f"{path.name} has format {found}, this pufftui reads {OLDEST_FORMAT} to {FORMAT}.",
            "Use the version of pufftui that wrote it.",
        )
    names = [name for name in file.names if name != DESCRIPTION]
    whole = not file.has_gaps() if found == 1 else description["arrays"] == _list_checksum(names)
    if not whole:
        raise NotWhole("its list of arrays is damaged")
    return description


def _expect_needed(path: Path, description: Mapping[str, Any]) -> None:
    for name, kind in NEEDED.items():
        value = description.get(name)
        if not isinstance(value, kind) or isinstance(value, bool):
            message = f"{path.name} is not a checkpoint of a run: it names no {name}."
            raise PuffError(message, "Use another one.")


def _list_checksum(names: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()


def _not_whole(path: Path, error: NotWhole) -> PuffError:
    return PuffError(f"{path.name} is not a whole checkpoint ({error}).", "Use an older one.")
