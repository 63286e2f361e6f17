"""Writers take turns where a file system has no locks: a file that only one of them can make."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import secrets
import socket
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from pufftui.trainer.store.place import failure

LOOK_SECONDS = 0.01
"""Time between two looks whether the turn is free."""

STALE_SECONDS = 20.0
"""A turn takes milliseconds. One that is seen for so long was left by a machine that is gone."""

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)

_held: set[str] = set()
_seen: dict[Path, tuple[str, float]] = {}
"""Whose turn this process saw last in each place, and since when."""


@contextlib.contextmanager
def turn(database: Path, patience: float) -> Iterator[None]:
    """Nobody else writes this store meanwhile.

    Raises `sqlite3.OperationalError`, as for a store that is locked, if others do for `patience`
    seconds, or if the folder cannot be written.
    """
    file = database.with_name(f"{database.name}-turn")
    mine = f"{secrets.token_hex(8)} {os.getpid()} {_machine()}"
    # Other threads of this process may see the file before `_take` returns.
    _held.add(mine)
    try:
        _take(file, mine, patience)
        try:
            yield
        finally:
            if _holder(file) == mine:
                with contextlib.suppress(OSError):
                    file.unlink()
    finally:
        _held.discard(mine)


def _take(file: Path, mine: str, patience: float) -> None:
    end = time.monotonic() + patience
    while not _make(file, mine):
        holder, now = _holder(file), time.monotonic()
        if holder is None:
            continue
        seen, since = _seen.get(file, ("", now))
        if seen != holder:
            since = now
        _seen[file] = holder, since
        if _is_dead(holder) or now - since > STALE_SECONDS:
            _break(file, holder)
        elif now >= end:
            raise failure("database is locked", sqlite3.SQLITE_BUSY)
        else:
            time.sleep(LOOK_SECONDS)


def _make(file: Path, mine: str) -> bool:
    """Whether the file was not there, and now is."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return False
    except OSError as error:
        code = sqlite3.SQLITE_FULL if error.errno in NO_ROOM else sqlite3.SQLITE_CANTOPEN
        raise failure(f"{file.name}: {error.strerror}", code) from None
    try:
        os.write(descriptor, mine.encode())
    except OSError as error:
        file.unlink(missing_ok=True)
        raise failure(f"{file.name}: {error.strerror}", sqlite3.SQLITE_FULL) from None
    finally:
        os.close(descriptor)
    return True


def _holder(file: Path) -> str | None:
    """What the file says; None if it is not there."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def _is_dead(holder: str) -> bool:
    """Whether who wrote this was a process of this machine that has ended."""
    _, _, rest = holder.partition(" ")
    number, _, machine = rest.partition(" ")
    if machine != _machine() or not number.isdecimal():
        return False
    if int(number) == os.getpid():
        return holder not in _held
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass
    return False


def _break(file: Path, holder: str) -> None:
    """Takes away what somebody has left, unless it is another's by now."""
    aside = file.with_name(f"{file.name}-{secrets.token_hex(4)}")
    with contextlib.suppress(OSError):
        file.rename(aside)
        if _holder(aside) == holder:
            aside.unlink()
        else:
            aside.rename(file)


@functools.cache
def _machine() -> str:
    """What processes that see each other's numbers have in common."""
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    return socket.gethostname()
