"""The writer's side of the file: what is to be remembered becomes rows, a batch a transaction."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pufftui.trainer.store.schema import open_for_writing

NO_SHARED_MEMORY = (
    "The filesystem of this run gives no shared memory, as network filesystems do: the store uses "
    "a rollback journal, and readers and writer wait for each other."
)

# Errors of SQLite that concern a row; all others concern the file.
WRONG_VALUES = (
    sqlite3.DataError,
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
)


class Ledger:
    """One lineage of rows. Opens the file when it first writes, and again after a failure."""

    def __init__(self, database: Path, from_step: int) -> None:
        """Touches no file; `from_step` is where the lineage leaves its parent."""
        self._database = database
        self._from_step = from_step
        self._connection: sqlite3.Connection | None = None
        self._lineage: int | None = None
        self._positions: dict[str, int] = {}
        self._last = (from_step, 0.0)
        self._refusal_told = False

    @property
    def is_open(self) -> bool:
        """Whether the file could be opened, and the lineage begun."""
        return self._connection is not None

    def write(self, batch: Iterable[Callable[[Ledger], None]]) -> None:
        """Commits a batch whole or, raising `sqlite3.Error` or `PuffError`, not at all.

        An insert that cannot be stored because of its values is left out; the first such is told
        in an event.
        """
        if self._connection is None:
            self._open()
        self._execute("BEGIN IMMEDIATE")
        for insert in batch:
            try:
                insert(self)
            except Exception as error:  # what can be wrong with a stranger's values has no list
                if isinstance(error, sqlite3.Error) and not isinstance(error, WRONG_VALUES):
                    raise
                if not self._refusal_told:
                    self._refusal_told = True
                    self.notice("error", f"A row could not be stored: {error}.")
        self._execute("COMMIT")

    def close(self) -> None:
        """Closes the file, undoing what is not committed; the next `write` opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def metrics(self, step: int, seconds: float, epoch: int, values: Mapping[str, float]) -> None:
        """Adds a row of means, and the names that are new."""
        for name in values:
            if name not in self._positions:
                position = len(self._positions)
                self._execute("INSERT INTO metric VALUES (?, ?)", position, name)
                self._positions[name] = position
        means = np.full(len(self._positions), np.nan, "<f4")
        with np.errstate(over="ignore"):
            means[[self._positions[name] for name in values]] = np.array(
                list(values.values()), np.float64
            )
        self._last = (int(step), float(seconds))
        self._insert("metrics", *self._last, int(epoch), means.tobytes())

    def episodes(self, step: int, episodes: NDArray[np.void]) -> None:
        """Adds a row per episode (dtype `EPISODE`)."""
        for row in episodes:
            self._insert(
                "episode",
                int(step),
                int(row["step"]),
                int(row["agent"]),
                int(row["length"]),
                float(row["score"]),
                float(row["episode_return"]),
                row["statistics"].astype("<f4").tobytes().rstrip(b"\0"),
            )

    def event(self, step: int, seconds: float, kind: str, text: str) -> None:
        """Adds an event."""
        self._last = (int(step), float(seconds))
        self._insert("event", *self._last, kind, text)

    def checkpoint(self, step: int, seconds: float, file: str, score: float | None) -> None:
        """Adds a checkpoint."""
        self._last = (int(step), float(seconds))
        self._insert("checkpoint", *self._last, file, None if score is None else float(score))

    def notice(self, kind: str, text: str) -> None:
        """Adds an event about the store itself, at the step of the last row."""
        self._insert("event", *self._last, kind, text)

    def _open(self) -> None:
        self._connection = open_for_writing(self._database)
        names = self._execute("SELECT name, position FROM metric")
        self._positions = dict(names.fetchall())
        if self._lineage is None:
            opened = self._execute(
                "INSERT INTO lineage (parent, from_step, started)"
                " VALUES ((SELECT max(id) FROM lineage), ?, ?)",
                self._from_step,
                time.time(),
            )
            self._lineage = opened.lastrowid
            if self._execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                self.notice("note", NO_SHARED_MEMORY)

    def _insert(self, table: str, *values: object) -> None:
        places = ", ".join("?" * (len(values) + 1))
        self._execute(f"INSERT INTO {table} VALUES (NULL, {places})", self._lineage, *values)  # noqa: S608

    def _execute(self, sql: str, *values: object) -> sqlite3.Cursor:
        assert self._connection is not None
        return self._connection.execute(sql, values)
