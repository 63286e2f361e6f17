"""What the file system of a store can do, found by trying: some mounts have no locks, or no shared memory."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pufftui.envs.errors import PuffError
from pufftui.trainer.files.bounded import in_time

LOCK_SECONDS = 1.5
"""A file system that has not said by then whether it can lock a file is taken for one that cannot."""

TRIAL_SECONDS = 0.5
"""Nobody else uses the files of a trial: whoever waits so long for a lock waits for ever."""

BESIDE = "config.toml"
"""A file beside the store that nobody locks."""


@dataclass(frozen=True, slots=True)
class Place:
    """How a store can be kept in a folder.

    `locks` is whether SQLite can lock files there; where it cannot, whoever writes takes a turn
    (`turns.py`). `shared_memory` is whether readers and a writer can share an index of the log; where
    they cannot, there is a rollback journal.
    """

    locks: bool = True
    shared_memory: bool = True

    @property
    def note(self) -> str:
        """What to know about it in a sentence; empty where nothing is missing."""
        if not self.locks:
            return (
                "The file system of this run has no locks, as is common on networks: the store uses a "
                "rollback journal, and whoever writes leaves a file that keeps others out."
            )
        if not self.shared_memory:
            return (
                "The file system of this run has no shared memory, as is common on networks: the store "
                "uses a rollback journal, and readers and the writer wait for each other."
            )
        return ""


CHOICES = (Place(), Place(shared_memory=False), Place(locks=False, shared_memory=False))

_places: dict[int, Place] = {}
_locking: dict[int, bool] = {}
"""What was found out, by device."""


def uri(database: Path, mode: str, *, locks: bool) -> str:
    """The address under which SQLite opens a file, with its own locks or without any."""
    return f"{database.absolute().as_uri()}?mode={mode}{'' if locks else '&vfs=unix-none'}"


def refuse_unfit(folder: Path) -> None:
    """Raises `PuffError` if no store can be kept in a folder. A disk that is full may get room."""
    try:
        place_of(folder)
    except sqlite3.Error as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL:
            return
        raise PuffError(
            f"The file system of {folder.parent} cannot keep a store ({error}).",
            "Choose another folder for runs with the variable PUFFTUI_RUNS.",
        ) from None


def place_of(folder: Path) -> Place:
    """What a store can use in this folder; raises `sqlite3.Error` if nothing works.

    A small store is written there and read back. What is found counts for the whole file system, for
    as long as this process lives.
    """
    device = _device(folder)
    if device not in _places:
        _places[device] = _try_out(folder)
    return _places[device]


def locks_beside(database: Path) -> bool:
    """Whether SQLite can lock files where a store lies. Writes nothing.

    A lock on the store itself would end with the first of its locks that this process gives up, so
    another file is asked.
    """
    device = _device(database.parent)
    if device in _places:
        return _places[device].locks
    if device not in _locking:
        file = database.with_name(BESIDE)
        try:
            _locking[device] = _can_lock(file, os.O_RDONLY, fcntl.LOCK_SH)
        except OSError:
            return True  # without that file it is no run; a store alone shows by itself
    return _locking[device]


def _try_out(folder: Path) -> Place:
    trial = folder / f".trial-{secrets.token_hex(8)}.db"
    try:
        # Where the folder cannot be written, SQLite finds the words.
        with contextlib.suppress(OSError):
            if not _can_lock(trial, os.O_RDWR | os.O_CREAT, fcntl.LOCK_EX):
                _write_and_read(trial, CHOICES[-1])
                return CHOICES[-1]
        for place in CHOICES[:-1]:
            with contextlib.suppress(sqlite3.Error):
                _write_and_read(trial, place)
                return place
        _write_and_read(trial, CHOICES[-1])
        return CHOICES[-1]
    finally:
        _clear(trial)


def _write_and_read(trial: Path, place: Place) -> None:
    """Raises `sqlite3.Error` unless a row that is written is there for somebody else."""
    _clear(trial)
    with closing(_connect(trial, "rwc", place)) as writer:
        wanted = "wal" if place.shared_memory else "delete"
        found = writer.execute(f"PRAGMA journal_mode={wanted}").fetchone()[0]
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("CREATE TABLE trial (number INTEGER)")
        writer.execute("INSERT INTO trial VALUES (1)")
        writer.execute("COMMIT")
        with closing(_connect(trial, "ro", place)) as reader:
            rows = reader.execute("SELECT number FROM trial").fetchall()
    if found != wanted or rows != [(1,)]:
        raise failure("what was written could not be read", sqlite3.SQLITE_IOERR)


def _connect(trial: Path, mode: str, place: Place) -> sqlite3.Connection:
    address = uri(trial, mode, locks=place.locks)
    return sqlite3.connect(address, uri=True, timeout=TRIAL_SECONDS, isolation_level=None)


def failure(text: str, code: int) -> sqlite3.OperationalError:
    """An error as SQLite raises it."""
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    error.sqlite_errorname = ""
    return error


def _can_lock(file: Path, flags: int, kind: int) -> bool:
    """Whether a file can be locked as SQLite does it; raises `OSError` if it cannot be opened."""
    descriptor = os.open(file, flags | os.O_NONBLOCK, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no file")
    ask: Callable[[], None] = lambda: fcntl.lockf(descriptor, kind | fcntl.LOCK_NB)  # noqa: E731
    try:
        in_time(LOCK_SECONDS, ask)
    except TimeoutError:
        return False  # the thread that still waits has the descriptor
    except OSError:
        os.close(descriptor)
        return False
    os.close(descriptor)
    return True


def _clear(trial: Path) -> None:
    for ending in ("", "-journal", "-wal", "-shm"):
        with contextlib.suppress(OSError):
            trial.with_name(f"{trial.name}{ending}").unlink()


def _device(folder: Path) -> int:
    """The file system of a folder; 0 if the folder is not there."""
    try:
        return folder.stat().st_dev
    except OSError:
        return 0
