"""The tables of the store, their version, and how an older file becomes a current one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pufftui.envs.errors import PuffError

BUSY_SECONDS = 5.0

MIGRATIONS = (
    # Every start, resume and roll-back opens a lineage: it goes on from `from_step` of its parent,
    # whose later rows are abandoned. All other rows belong to one.
    #
    # The means of a metrics row are float32, one per metric known when it was written, in the
    # order of their positions; NaN stands for a metric the row lacks. The statistics of an episode
    # are float32 without the zeros at the end. SQLite keeps NaN as NULL.
    """
    CREATE TABLE lineage (
        id INTEGER PRIMARY KEY,
        parent INTEGER REFERENCES lineage,
        from_step INTEGER NOT NULL,
        started REAL NOT NULL -- Unix seconds
    );
    CREATE TABLE metric (
        position INTEGER PRIMARY KEY, -- from 0
        name TEXT NOT NULL UNIQUE
    );
    CREATE TABLE metrics (
        id INTEGER PRIMARY KEY,
        lineage INTEGER NOT NULL REFERENCES lineage,
        step INTEGER NOT NULL,
        seconds REAL NOT NULL, -- of training, as in the snapshots
        epoch INTEGER NOT NULL,
        means BLOB NOT NULL
    );
    CREATE TABLE episode (
        id INTEGER PRIMARY KEY,
        lineage INTEGER NOT NULL REFERENCES lineage,
        step INTEGER NOT NULL, -- of the trainer when the episodes were handed over
        env_step INTEGER NOT NULL,
        agent INTEGER NOT NULL,
        length INTEGER NOT NULL,
        score REAL,
        episode_return REAL,
        statistics BLOB NOT NULL
    );
    CREATE TABLE event (
        id INTEGER PRIMARY KEY,
        lineage INTEGER NOT NULL REFERENCES lineage,
        step INTEGER NOT NULL,
        seconds REAL NOT NULL,
        kind TEXT NOT NULL,
        text TEXT NOT NULL
    );
    CREATE TABLE checkpoint (
        id INTEGER PRIMARY KEY,
        lineage INTEGER NOT NULL REFERENCES lineage,
        step INTEGER NOT NULL,
        seconds REAL NOT NULL,
        file TEXT NOT NULL, -- name inside the folder `checkpoints`
        score REAL
    );
    """,
)
"""Entry i takes a file from version i to i + 1; the version is SQLite's `user_version`."""


def version(connection: sqlite3.Connection) -> int:
    """Version of an open store, 0 for an empty file; `PuffError` if it is from the future."""
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > len(MIGRATIONS):
        raise PuffError(
            f"The store has version {found}, this pufftui knows {len(MIGRATIONS)}.",
            "Install a newer pufftui.",
        )
    return found


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
    """Chooses the journal and applies the missing migrations, each whole or not at all."""
    found = version(connection)
    set_journal(connection)
    # A commit waits until it is on the disk: what was committed survives a power cut. The writer's
    # thread waits, a few times a second; training does not.
    connection.execute("PRAGMA synchronous=FULL")
    for number, script in enumerate(MIGRATIONS[found:], found + 1):
        try:
            connection.executescript(
                f"BEGIN IMMEDIATE; {script} PRAGMA user_version={number}; COMMIT;"
            )
        except BaseException:
            if connection.in_transaction:
                connection.rollback()
            raise


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
