"""Opens the file of a store, to write it or to look on."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pufftui.trainer.store.levels import catch_up
from pufftui.trainer.store.schema import MIGRATIONS, migrate, version

BUSY_SECONDS = 5.0


def open_for_writing(database: Path) -> sqlite3.Connection:
    """Opens, makes or brings up to date; raises `sqlite3.Error`, or `PuffError` as `version`."""
    connection = sqlite3.connect(database, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def prepare(connection: sqlite3.Connection) -> None:
    """Chooses the journal and brings the tables up to date."""
    found = version(connection)
    set_journal(connection)
    # A commit waits until it is on the disk: what was committed survives a power cut. The writer's
    # thread waits, a few times a second; training does not.
    connection.execute("PRAGMA synchronous=FULL")
    migrate(connection)
    if 0 < found < len(MIGRATIONS):
        connection.execute("BEGIN IMMEDIATE")
        catch_up(connection)
        connection.execute("COMMIT")


def set_journal(connection: sqlite3.Connection) -> str:
    """Turns on WAL; where it needs memory that a network filesystem lacks, a rollback journal.

    Returns the journal in use, `wal` or `delete`.
    """
    try:
        journal = str(connection.execute("PRAGMA journal_mode=WAL").fetchone()[0])
    except sqlite3.OperationalError as error:
        if not error.sqlite_errorname.startswith("SQLITE_IOERR_SHM"):
            raise
        journal = ""
    if journal != "wal":
        journal = str(connection.execute("PRAGMA journal_mode=DELETE").fetchone()[0])
    return journal


def open_for_reading(database: Path) -> sqlite3.Connection | None:
    """A read-only connection, or None while the writer has not made the tables.

    A file of an older version is copied into memory and brought up to date there: it is seen as
    it was when it was opened. Raises as `open_for_writing`.
    """
    if not database.is_file():  # a pipe would let nobody open it
        return None
    uri = f"{database.absolute().as_uri()}?mode=ro"
    try:
        return _current(_connect(uri))
    except sqlite3.OperationalError as error:
        # In a folder that may not be written SQLite cannot make the files that readers share.
        # With no log beside it the file is complete and nobody is writing.
        log = database.with_name(f"{database.name}-wal")
        refused = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
        if error.sqlite_errorcode & 0xFF not in refused or log.exists():
            raise
        return _current(_connect(f"{uri}&immutable=1"))


def _connect(uri: str) -> sqlite3.Connection:
    # The trainer's reader may be used by another thread than the one that opened it.
    return sqlite3.connect(
        uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )


def _current(connection: sqlite3.Connection) -> sqlite3.Connection | None:
    """The connection, or one to a copy if the file is older, or None if it has no tables."""
    try:
        found = version(connection)
        if found == len(MIGRATIONS):
            return connection
        if found:
            copy = _connect("file::memory:")
            connection.backup(copy)
            migrate(copy)
            catch_up(copy)
            copy.execute("PRAGMA query_only=ON")
    except BaseException:
        connection.close()
        raise
    connection.close()
    return copy if found else None
