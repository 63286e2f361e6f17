"""The lock that admits one trainer to a run, and what others can learn from it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import time
from dataclasses import dataclass, replace
from pathlib import Path

from pufftui.trainer.files.bounded import in_time

# Filesystems that know no locks answer so, or not in time; a run there goes without one.
NO_LOCKS = (
    *(errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL),
    *(errno.EIO, errno.ENODEV, errno.ENOTTY, errno.EPERM, errno.ETIMEDOUT),
)

ANSWER_SECONDS = 1.5
"""So long a filesystem may take to say whether a file is locked."""

PATIENCE = 0.3
"""Seconds that a trainer tries for the lock while another one has it."""

LOOKERS_PATIENCE = 20.0
"""Seconds that it tries while only such have it who look: each does for a moment, but there may be many."""

MOST_ORDER = 2**53

INHERITED = "PUFFTUI_LOCK"
"""This variable names the descriptor of a lock that another trainer has handed over."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who trains a run, or did so last; `since` is when that began, in Unix seconds.

    `training` is whether it still does; None where nobody has looked, or the filesystem cannot tell.
    `order` counts the starts of all runs beside it: the higher was the later, whatever a clock said.
    It is 0 where none was kept.
    """

    process: int | None
    host: str
    since: float
    training: bool | None = None
    order: int = 0

    @property
    def name(self) -> str:
        """`process 123 on host`."""
        return f"process {self.process} on {self.host}" if self.process else "another process"


UNKNOWN = Holder(None, "", 0.0)


class RunLock:
    """A locked file. A process that dies loses its lock."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, file: Path, order: int | None) -> RunLock:
        """Takes the lock, or the one that was handed over; with an `order`, as its `Holder`.

        Raises `BlockingIOError` if another process has it.
        """
        descriptor = _inherited(file)
        if descriptor is None:
            making = 0 if order is None else os.O_CREAT
            descriptor = os.open(file, os.O_RDWR | making | os.O_NOFOLLOW, 0o666)
        try:
            _wait_for(descriptor)
            if order is not None:
                _sign(descriptor, order)
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

    def close(self) -> None:
        """Gives it up, unless there is a spare."""
        os.close(self._descriptor)


def look_at(file: Path) -> Holder | None:
    """Who has the lock, or had it last; None if there is no such file. Writes nothing."""
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except OSError:
        return None
    try:
        return replace(_read(descriptor), training=_is_taken(descriptor))
    finally:
        os.close(descriptor)


def read_holder(file: Path) -> Holder:
    """What a lock says of its last holder, without asking whether it is taken."""
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except OSError:
        return UNKNOWN
    try:
        return _read(descriptor)
    finally:
        os.close(descriptor)


def _is_taken(descriptor: int) -> bool | None:
    try:
        _flock(descriptor, fcntl.LOCK_SH)
    except BlockingIOError:
        return True
    except OSError:
        return None
    return False


def _flock(descriptor: int, kind: int) -> None:
    """Locks the file; raises `BlockingIOError` if another has it, else `OSError`."""
    device = os.fstat(descriptor).st_dev
    if device in _silent:
        raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
    # The descriptor may be closed before an answer comes, and its number given to another file.
    own = os.dup(descriptor)

    def ask() -> None:
        try:
            fcntl.flock(own, kind | fcntl.LOCK_NB)
        finally:
            os.close(own)

    try:
        in_time(ANSWER_SECONDS, ask)
    except TimeoutError:
        _silent.add(device)
        raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from None


_silent: set[int] = set()
"""Devices that did not answer a question about a lock."""


def _read(descriptor: int) -> Holder:
    with contextlib.suppress(OSError, ValueError, IndexError):
        words = os.pread(descriptor, 1000, 0).decode(errors="replace").split()
        order = int(words[3]) if len(words) > 3 else 0
        sane = order if 0 <= order < MOST_ORDER else 0
        return Holder(int(words[0]), words[1], float(words[2]), order=sane)
    return UNKNOWN


def _sign(descriptor: int, order: int) -> None:
    text = f"{os.getpid()} {socket.gethostname()} {time.time():.6f} {order}\n".encode()
    os.pwrite(descriptor, text, 0)
    os.ftruncate(descriptor, len(text))
    os.fsync(descriptor)


def _wait_for(descriptor: int) -> None:
    begun = time.monotonic()
    while True:
        try:
            return _flock(descriptor, fcntl.LOCK_EX)
        except BlockingIOError:
            patience = PATIENCE if _is_trained(descriptor) else LOOKERS_PATIENCE
            if time.monotonic() >= begun + patience:
                raise
            time.sleep(PATIENCE / 20)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            return None


def _is_trained(descriptor: int) -> bool:
    """Whether a trainer has the lock: those who look share it, also with us."""
    taken = _is_taken(descriptor)
    if taken is False:
        _flock(descriptor, fcntl.LOCK_UN)
    return taken is not False


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
