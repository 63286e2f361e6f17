"""The tables of the store, their version, and how an older file becomes a current one."""

from __future__ import annotations

import sqlite3

from pufftui.envs.errors import PuffError

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
    # A block sums up rows of metrics of one lineage that follow each other: 16 at level 1, 16 blocks
    # of the level below at all others, fewer at the end of a lineage. Its figures are float32, four
    # rows with a column per metric: lowest, mean, highest, number of known values.
    #
    # The extremes of a metrics row are float32 like its means, and are there only where they differ
    # from them; old ones go, for the blocks keep them.
    #
    # Times called `at` are Unix seconds: what they tell may have happened while nothing trained.
    """
    CREATE TABLE block (
        id INTEGER PRIMARY KEY,
        lineage INTEGER NOT NULL REFERENCES lineage,
        level INTEGER NOT NULL,
        first_row INTEGER NOT NULL REFERENCES metrics,
        last_row INTEGER NOT NULL REFERENCES metrics,
        first_step INTEGER NOT NULL,
        last_step INTEGER NOT NULL,
        seconds REAL NOT NULL, -- of the first row, like the epoch
        epoch INTEGER NOT NULL,
        figures BLOB NOT NULL
    );
    CREATE INDEX block_by_row
        ON block (level, lineage, first_row, last_row, first_step, last_step);
    CREATE TABLE extremes (
        row INTEGER PRIMARY KEY REFERENCES metrics,
        low BLOB NOT NULL,
        high BLOB NOT NULL
    );
    CREATE TABLE alert (
        id INTEGER PRIMARY KEY,
        lineage INTEGER NOT NULL REFERENCES lineage,
        step INTEGER NOT NULL,
        seconds REAL NOT NULL,
        level TEXT NOT NULL,
        rule TEXT NOT NULL,
        title TEXT NOT NULL,
        text TEXT NOT NULL,
        evidence TEXT NOT NULL, -- JSON
        advice TEXT NOT NULL,
        acknowledged_at REAL
    );
    CREATE TABLE command (
        id INTEGER PRIMARY KEY,
        lineage INTEGER NOT NULL REFERENCES lineage,
        step INTEGER NOT NULL,
        seconds REAL NOT NULL,
        at REAL NOT NULL,
        name TEXT NOT NULL,
        detail TEXT NOT NULL -- JSON
    );
    CREATE TABLE note (
        id INTEGER PRIMARY KEY,
        step INTEGER NOT NULL,
        at REAL NOT NULL,
        text TEXT NOT NULL
    );
    CREATE TABLE tag (
        name TEXT PRIMARY KEY
    ) WITHOUT ROWID;
    CREATE TABLE fact (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL -- JSON
    ) WITHOUT ROWID;
    CREATE TABLE system (
        id INTEGER PRIMARY KEY,
        lineage INTEGER NOT NULL REFERENCES lineage,
        step INTEGER NOT NULL,
        seconds REAL NOT NULL,
        processor REAL NOT NULL, -- share of all cores that is busy, 0..1
        process_cores REAL NOT NULL, -- cores that the training process keeps busy
        process_memory INTEGER NOT NULL, -- bytes
        memory_used INTEGER NOT NULL,
        memory_total INTEGER NOT NULL,
        disk_free INTEGER NOT NULL, -- where the run lies
        gpus TEXT NOT NULL -- JSON
    );
    ALTER TABLE checkpoint ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE checkpoint ADD COLUMN reason TEXT NOT NULL DEFAULT '';
    """,
    # An alert is over once what it tells of is no longer so. A rule that is muted is still watched,
    # but calls nobody.
    """
    ALTER TABLE alert ADD COLUMN over_step INTEGER;
    ALTER TABLE alert ADD COLUMN over_seconds REAL;
    CREATE TABLE mute (
        rule TEXT PRIMARY KEY
    ) WITHOUT ROWID;
    ALTER TABLE system ADD COLUMN screen_cores REAL NOT NULL DEFAULT 0; -- cores that the dashboard keeps busy
    """,
    # What a float32 would change of a number beyond 2^24, such as a counter or the time of a clock.
    #
    # A metric that was given a value which is no finite number lacks it in its rows: a stretch says from
    # which step on that is so, and up to which.
    """
    CREATE TABLE exact (
        row INTEGER NOT NULL REFERENCES metrics,
        position INTEGER NOT NULL REFERENCES metric,
        value REAL NOT NULL,
        PRIMARY KEY (row, position)
    ) WITHOUT ROWID;
    CREATE TABLE not_finite (
        id INTEGER PRIMARY KEY,
        lineage INTEGER NOT NULL REFERENCES lineage,
        position INTEGER NOT NULL REFERENCES metric,
        step INTEGER NOT NULL,
        seconds REAL NOT NULL,
        value TEXT NOT NULL, -- nan, inf, -inf, or a number too large for a float32
        over_step INTEGER
    );
    """,
    # How the policy of a step played without learning, as `pufftui eval` found; `at` as in version 2.
    """
    CREATE TABLE evaluation (
        id INTEGER PRIMARY KEY,
        step INTEGER NOT NULL,
        at REAL NOT NULL,
        result TEXT NOT NULL -- JSON, by the public names
    );
    """,
)
"""Entry i takes a file from version i to i + 1; the version is SQLite's `user_version`."""


def version(connection: sqlite3.Connection) -> int:
    """Version of an open store, 0 for an empty file; `PuffError` if it is from the future or no store.

    Ours has tables alone. A trigger, a view or a virtual table would be code of whoever made the file.
    """
    connection.execute("PRAGMA trusted_schema=OFF")
    odd = connection.execute(
        "SELECT name FROM sqlite_schema"
        " WHERE type IN ('trigger', 'view') OR sql LIKE 'CREATE VIRTUAL%' LIMIT 1"
    ).fetchone()
    if odd is not None:
        raise PuffError(
            f"The store holds {odd[0]!r}, which no version of pufftui writes.",
            "Trust it no more than whoever gave it to you.",
        )
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > len(MIGRATIONS):
        raise PuffError(
            f"The store has version {found}, this pufftui knows {len(MIGRATIONS)}.",
            "Install a newer pufftui.",
        )
    return found


def migrate(connection: sqlite3.Connection) -> None:
    """Applies the missing migrations, all or, raising `sqlite3.Error`, none."""
    found = version(connection)
    if found == len(MIGRATIONS):
        return
    scripts = "".join(MIGRATIONS[found:])
    try:
        connection.executescript(
            f"BEGIN IMMEDIATE; {scripts} PRAGMA user_version={len(MIGRATIONS)}; COMMIT;"
        )
    except BaseException:
        if connection.in_transaction:
            connection.rollback()
        raise
