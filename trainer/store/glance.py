"""Reads a store where nothing can be locked: what was read counts if nobody has written meanwhile."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pufftui.trainer.store.opening import BUSY_SECONDS, beside, finish_rollback
from pufftui.trainer.store.place import failure
from pufftui.trainer.store.turns import turn

Answer = TypeVar("Answer")

GLANCES = 10
PAUSE = 0.01
"""So often a reader looks, with so many seconds between, before it takes a turn like a writer."""

COUNTER = 24, 4
"""Where the file has a number that every transaction changes, and its size in bytes."""


def consistently(database: Path, read: Callable[[], Answer], forget: Callable[[], None]) -> Answer:
    """What `read` returns or raises while nobody writes; `forget` drops what it keeps of the file.

    Raises `sqlite3.OperationalError` as for a store that is locked if there is no such moment.
    """
    for _ in range(GLANCES):
        before = _before(database)
        if before is not None:
            try:
                answer: Answer | None = read()
                error = None
            except sqlite3.Error as raised:
                answer, error = None, raised
            if _after(database) == before:
                if error is not None:
                    raise error
                return answer  # type: ignore[return-value]
            forget()
        time.sleep(PAUSE)
    try:
        with turn(database, BUSY_SECONDS):
            if beside(database, "-journal").exists():
                finish_rollback(database)
            return read()
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_CANTOPEN:
            raise
        raise failure("database is locked", sqlite3.SQLITE_BUSY) from None


# A transaction makes a journal, writes the file, its counter included, and removes the journal. So
# the counter is read outside: first before, and last after.


def _before(database: Path) -> bytes | None:
    """The counter; None in the middle of a transaction."""
    counter = _counter(database)
    return None if beside(database, "-journal").exists() else counter


def _after(database: Path) -> bytes | None:
    return None if beside(database, "-journal").exists() else _counter(database)


def _counter(database: Path) -> bytes:
    """Empty without a file."""
    try:
        with database.open("rb") as file:
            file.seek(COUNTER[0])
            return file.read(COUNTER[1])
    except OSError:
        return b""
