"""Opens the file of a store, to write it or to look on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path

from pufftui.trainer.store.levels import catch_up
from pufftui.trainer.store.place import locks_beside, place_of, uri
from pufftui.trainer.store.schema import MIGRATIONS, migrate, version
from pufftui.trainer.store.turns import turn

BUSY_SECONDS = 5.0

REFUSED = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)

NO_INDEX = "SQLITE_IOERR_SHM"
"""Begins the names of errors about the memory that the readers of a log share."""


class Copy(sqlite3.Connection):
    """A store as it was when it was opened."""


@contextmanager
def _damage_in_words() -> Iterator[None]:
    """Turns into a `sqlite3.DatabaseError` what else a damaged file brings about while it is opened.

    Among that are errors whose own words are not UTF-8.
    """
    try:
        yield
    except (ValueError, TypeError, ArithmeticError, LookupError) as error:
        raise sqlite3.DatabaseError(f"it is damaged: {error}") from error


@_damage_in_words()
def open_for_writing(database: Path) -> sqlite3.Connection:
    """Opens, makes or brings up to date, for the one who trains the run.

    Raises `sqlite3.Error`, or `PuffError` as `version`.
    """
    place = place_of(database.parent)
    connection = _connect(database, "rwc", locks=place.locks)
    try:
        if not place.shared_memory:
            with turn(database, BUSY_SECONDS):
                leave_log(connection)
                prepare(connection)
        else:
            set_journal(connection)
            prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


@_damage_in_words()
def open_to_remark(database: Path) -> sqlite3.Connection:
    """Opens a store that another process may be writing, and changes nothing about how it is kept.

    Raises as `open_for_writing`.
    """
    connection = _connect(database, "rw", locks=locks_beside(database))
    try:
        with writing(database, connection):
            prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def prepare(connection: sqlite3.Connection) -> None:
    """Brings the tables up to date."""
    found = version(connection)
    # A commit waits until it is on the disk: what was committed survives a power cut. The writer's
    # thread waits, a few times a second; training does not.
    connection.execute("PRAGMA synchronous=FULL")
    migrate(connection)
    if 0 < found < len(MIGRATIONS):
        connection.execute("BEGIN IMMEDIATE")
        catch_up(connection)
        connection.execute("COMMIT")


def writing(database: Path, connection: sqlite3.Connection) -> AbstractContextManager[None]:
    """What a write has to be in: a turn, where there may be no locks.

    Only who trains a run chooses the journal, so all who write a store see the same. Without locks
    the first question to SQLite has to wait for a turn, this one included: it would take the
    journal of a write that is under way for that of a process that was killed, and undo the write.
    """
    if locks_beside(database) and journal(connection) == "wal":
        return nullcontext()
    return turn(database, BUSY_SECONDS)


def journal(connection: sqlite3.Connection) -> str:
    """`wal`, or `delete` for a rollback journal."""
    return str(connection.execute("PRAGMA journal_mode").fetchone()[0])


def set_journal(connection: sqlite3.Connection) -> None:
    """Turns on the log that lets readers read while somebody writes."""
    connection.execute("PRAGMA journal_mode=WAL")


def leave_log(connection: sqlite3.Connection) -> None:
    """Chooses a rollback journal, also for a file with a log whose index cannot be shared here."""
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.execute("PRAGMA locking_mode=NORMAL")
    version(connection)  # with the first read the file is everybody's again


@_damage_in_words()
def open_for_reading(database: Path) -> sqlite3.Connection | None:
    """A read-only connection, or None while the writer has not made the tables.

    A file of an older version is copied into memory and brought up to date there: it is seen as
    it was when it was opened. Raises as `open_for_writing`.
    """
    if not database.is_file():  # a pipe would let nobody open it
        return None
    locks = locks_beside(database)
    if not locks and _is_empty(database):
        return None  # SQLite would delete the journal of the first write
    try:
        return _current(_connect(database, "ro", locks=locks))
    except sqlite3.OperationalError as error:
        # What Python itself finds wrong, such as a text that is none, has no code.
        code, name = getattr(error, "sqlite_errorcode", 0), getattr(error, "sqlite_errorname", "")
        if code == sqlite3.SQLITE_READONLY_ROLLBACK:
            with turn(database, BUSY_SECONDS):
                finish_rollback(database)
            return _current(_connect(database, "ro", locks=locks))
        no_index = name.startswith(NO_INDEX)
        refused = code & 0xFF in REFUSED
        if not (no_index or refused) or beside(database, "-journal").exists():
            raise
        if beside(database, "-wal").exists():
            return _current(_without_index(database))
        # In a folder that may not be written SQLite cannot make the files that readers share.
        # With no log beside it the file is complete and nobody is writing.
        return _current(_connect(database, "ro", locks=locks, more="&immutable=1"))


def _is_empty(database: Path) -> bool:
    try:
        return not database.stat().st_size
    except OSError:
        return True


def finish_rollback(database: Path) -> None:
    """Undoes what a writer that was killed has left half done; raises `sqlite3.Error`."""
    with closing(_connect(database, "rw", locks=locks_beside(database))) as writer:
        version(writer)


def beside(database: Path, ending: str) -> Path:
    """A file that SQLite keeps beside a store: `-journal` or `-wal`."""
    return database.with_name(f"{database.name}{ending}")


def _without_index(database: Path) -> sqlite3.Connection:
    """A copy in memory of a file and its log, where the index of the log cannot be shared."""
    with closing(_connect(database, "ro", locks=False)) as connection:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        return _copied(connection)


def _copied(connection: sqlite3.Connection) -> Copy:
    copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, factory=Copy)
    copy.text_factory = _readable
    connection.backup(copy)
    return copy


def _connect(database: Path, mode: str, *, locks: bool, more: str = "") -> sqlite3.Connection:
    # The trainer's reader may be used by another thread than the one that opened it.
    connection = sqlite3.connect(
        uri(database, mode, locks=locks) + more,
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.text_factory = _readable
    return connection


def _readable(text: bytes) -> str:
    """A text, also one that is not UTF-8: one such word must not hide all others."""
    return text.decode(errors="replace")


def _current(connection: sqlite3.Connection) -> sqlite3.Connection | None:
    """The connection, or one to a copy if the file is older, or None if it has no tables."""
    try:
        found = version(connection)
        if found == len(MIGRATIONS):
            return connection
        if found:
            copy = _copied(connection)
            migrate(copy)
            catch_up(copy)
            copy.execute("PRAGMA query_only=ON")
    except BaseException:
        connection.close()
        raise
    connection.close()
    return copy if found else None
