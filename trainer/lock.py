"""The lock that admits one trainer to a run, and what others can learn from it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path

# Filesystems that know no locks answer so; a run there goes without one.
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)

PATIENCE = 0.3
"""Seconds that a trainer tries for the lock: those who only look at it hold it for a moment."""

INHERITED = "PUFFTUI_LOCK"
"""This variable names the descriptor of a lock that another trainer has handed over."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who trains a run, or did so last; `since` is when that began, in Unix seconds.

    `training` is whether it still does; None where the filesystem cannot tell.
    """

    process: int | None
    host: str
    since: float
    training: bool | None

    @property
    def name(self) -> str:
        """`process 123 on host`."""
        return f"process {self.process} on {self.host}" if self.process else "another process"


class RunLock:
    """A locked file. A process that dies loses its lock."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, file: Path, *, sign: bool = True) -> RunLock:
        """Takes the lock, or the one that was handed over; `sign` leaves this process's name in it.

        Raises `BlockingIOError` if another process has it.
        """
        descriptor = _inherited(file)
        if descriptor is None:
            descriptor = os.open(file, os.O_RDWR | (os.O_CREAT if sign else 0), 0o666)
        try:
            _wait_for(descriptor)
            if sign:
                _sign(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        return cls(descriptor)

    def spare(self) -> int:
        """A second descriptor: the lock is held until both are closed.

        A child that is given it, and told its number by `INHERITED`, becomes the trainer without
        a moment in which another process could.
        """
        return os.dup(self._descriptor)

    def release(self) -> None:
        """Gives it up, unless there is a spare."""
        os.close(self._descriptor)


def look_at(file: Path) -> Holder | None:
    """Who has the lock, or had it last; None if there is no such file. Writes nothing."""
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except OSError:
        return None
    try:
        process, host, since = _read(descriptor)
        return Holder(process, host, since, _is_taken(descriptor))
    finally:
        os.close(descriptor)


def _is_taken(descriptor: int) -> bool | None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    return False


def _read(descriptor: int) -> tuple[int | None, str, float]:
    with contextlib.suppress(OSError, ValueError, IndexError):
        words = os.pread(descriptor, 1000, 0).decode(errors="replace").split()
        return int(words[0]), words[1], float(words[2])
    return None, "", 0.0


def _sign(descriptor: int) -> None:
    text = f"{os.getpid()} {socket.gethostname()} {time.time():.6f}\n".encode()
    os.pwrite(descriptor, text, 0)
    os.ftruncate(descriptor, len(text))
    os.fsync(descriptor)


def _wait_for(descriptor: int) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                raise
            time.sleep(PATIENCE / 20)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            return None


def _inherited(file: Path) -> int | None:
    """The descriptor of the lock that was handed over to this process, if it is of this file."""
    with contextlib.suppress(OSError, ValueError):
        given = int(os.environ.get(INHERITED, ""))
        handed, own = os.fstat(given), file.stat()
        if (handed.st_dev, handed.st_ino) == (own.st_dev, own.st_ino):
            del os.environ[INHERITED]
            os.set_inheritable(given, False)
            return given
    return None
