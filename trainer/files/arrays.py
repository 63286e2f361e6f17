"""Files of named numpy arrays (.npz without pickles) that are there whole, or known not to be."""

from __future__ import annotations

import contextlib
import errno
import io
import math
import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.errors import PuffError

# What filesystems say that do not know this, and refuse nothing else.
NO_RENAME_OVER = (errno.EEXIST, errno.EPERM, errno.ENOTSUP, errno.ENOSYS)
NO_FOLDER_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF, errno.EPERM)

LOCAL_HEADER = 30
"""Bytes of a member's own header before its name."""


def write_whole(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Writes a file that appears complete and on disk, or not at all; may raise `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        write_into(folder, path.name, arrays)
    finally:
        os.close(folder)


def write_into(folder: int, name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
    """As `write_whole`, into an open folder, whatever has become of the folder's own name."""
    temporary = partial_name(name)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    try:
        with open(os.open(temporary, flags, 0o666, dir_fd=folder), "wb") as file:  # noqa: PTH123
            contents: dict[str, Any] = dict(arrays)
            np.savez(file, **contents)
            file.flush()
            os.fsync(file.fileno())
        _put_in_place(folder, temporary, name)
        _sync(folder)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise


def partial_name(name: str) -> str:
    """What a file is called while it is written, and stays called if the process dies."""
    return f".{name}.partial"


class ArraysFile:
    """An open file; `names` is what its directory lists, in order."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.names = [member.filename.removesuffix(".npy") for member in archive.infolist()]

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def read(self, name: str) -> NDArray[Any]:
        """An array, whose checksum was right; raises whatever a damaged file leads to."""
        member = self._archive.getinfo(f"{name}.npy")
        if member.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"{name} is compressed")
        data = self._archive.read(member)
        file = io.BytesIO(data)
        shape, dtype = _header(file)
        # A header that asks for more than there is must not reserve memory for it.
        if file.tell() + math.prod(shape) * dtype.itemsize != len(data):
            raise ValueError(f"{name} has not the size that it says")
        file.seek(0)
        array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
        return array

    def has_gaps(self) -> bool:
        """Whether the members leave bytes over: then the directory lacks some."""
        end = 0
        for member in sorted(self._archive.infolist(), key=lambda member: member.header_offset):
            if member.header_offset != end:
                return True
            end += LOCAL_HEADER + self._name_and_extra(member) + member.compress_size
        return end != self._archive.start_dir

    def _name_and_extra(self, member: zipfile.ZipInfo) -> int:
        """Bytes that follow the fixed part of a member's own header."""
        file = self._archive.fp
        assert file is not None
        file.seek(member.header_offset + LOCAL_HEADER - 4)
        two = file.read(4)
        return int.from_bytes(two[:2], "little") + int.from_bytes(two[2:], "little")


@contextlib.contextmanager
def opened(path: Path, folder: int | None = None) -> Iterator[ArraysFile]:
    """A file to read; with `folder`, an open folder, `path` is a name in it.

    Raises `NotWhole` for whatever reading leads to while it is open.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK, dir_fd=folder)
        with open(descriptor, "rb") as file, zipfile.ZipFile(file) as archive:  # noqa: PTH123
            yield ArraysFile(archive)
    except (NotWhole, PuffError):
        raise
    except Exception as error:  # what a damaged file leads to has no list
        raise NotWhole(str(error) or type(error).__name__) from error


class NotWhole(Exception):  # noqa: N818 - what the file is
    """A file that is damaged, cut short, or something else."""


def _header(file: io.BytesIO) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[version]
    shape, _, dtype = read(file)
    if dtype.hasobject:
        raise ValueError("it holds objects, not numbers")
    return shape, dtype


def _sync(folder: int) -> None:
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in NO_FOLDER_SYNC:
            raise


def _put_in_place(folder: int, temporary: str, name: str) -> None:
    """Some filesystems rename no file over another; there is none for a moment then."""
    try:
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError as error:
        if error.errno not in NO_RENAME_OVER:
            raise
        os.unlink(name, dir_fd=folder)
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
