"""A folder held open: the same one, whatever happens to its name."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

Identity = tuple[int, int]
"""Device and inode: what tells a file or folder from another of the same name."""

PATH_BYTES = 1024
FLAGS = os.O_RDONLY | os.O_DIRECTORY


def identity(at: Path | int) -> Identity | None:
    """Of what has that path, or of what is open; None if there is nothing."""
    with contextlib.suppress(OSError):
        found = os.stat(at)  # noqa: PTH116 - a descriptor, too
        return found.st_dev, found.st_ino
    return None


def identity_in(folder: int, name: str) -> Identity | None:
    """Of a file in an open folder, or of the link that it is; None if there is none."""
    with contextlib.suppress(OSError):
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        return found.st_dev, found.st_ino
    return None


class HeldFolder:
    """Deletes and names only what is inside, and follows the folder if it is moved."""

    def __init__(self, path: Path) -> None:
        """Opens it; raises `OSError` if there is none."""
        self._descriptor = os.open(path, FLAGS)
        self.identity = identity(self._descriptor)

    def is_at(self, path: Path) -> bool:
        """Whether it has that name now."""
        return identity(path) == self.identity

    def find(self, path: Path) -> Path | None:
        """Where it is now; it was at `path` before. None if it has no name any more, or none that can be told."""
        if self.is_at(path):
            return path
        with contextlib.suppress(OSError, ValueError):
            now = Path(os.fsdecode(_name_of(self._descriptor)))
            if self.is_at(now):
                return now
        return None

    @contextlib.contextmanager
    def inside(self, name: str, *, make: bool = False) -> Iterator[int]:
        """The descriptor of a folder in it; raises `OSError` if that is missing and not to be made."""
        if make:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, dir_fd=self._descriptor)
        # A link would lead to a folder that others may use as well.
        descriptor = os.open(name, FLAGS | os.O_NOFOLLOW, dir_fd=self._descriptor)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def remove(self, files: tuple[str, ...], folders: tuple[str, ...], path: Path) -> None:
        """Deletes these files and empty folders, and itself, if it is at `path` and nothing else is left."""
        for name in files:
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=self._descriptor)
        for name in folders:
            with contextlib.suppress(OSError):
                os.rmdir(name, dir_fd=self._descriptor)
        if self.is_at(path):
            with contextlib.suppress(OSError):
                path.rmdir()

    def close(self) -> None:
        """Lets go of it."""
        os.close(self._descriptor)


def _name_of(descriptor: int) -> bytes:
    """The path of an open folder as the system knows it; raises `OSError` if it cannot tell."""
    if hasattr(fcntl, "F_GETPATH"):
        return fcntl.fcntl(descriptor, fcntl.F_GETPATH, bytes(PATH_BYTES)).rstrip(b"\0")
    return os.readlink(os.fsencode(f"/proc/self/fd/{descriptor}"))  # noqa: PTH115 - as bytes
