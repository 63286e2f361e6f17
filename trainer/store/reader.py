"""Reads the store of a live or finished run, from any thread or process, without disturbing it."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, compress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.errors import PuffError
from pufftui.envs.vector import EPISODE
from pufftui.trainer.store.schema import BUSY_SECONDS, version

Row = tuple[Any, ...]
Part = TypeVar("Part")

# So few rows at a time never outlive a turn of Python's garbage collector, which doubles the time.
BATCH = 500


@dataclass(frozen=True, slots=True, eq=False)
class MetricRows:
    """Rows of metrics in the order of writing; all arrays have length n.

    `last` is the id of the last row, to ask for what follows. `values` are float32, NaN where a
    row lacks the name. `lineages` says which start of the run wrote a row.
    """

    last: int
    steps: NDArray[np.int64]
    seconds: NDArray[np.float64]
    epochs: NDArray[np.int64]
    lineages: NDArray[np.int64]
    values: dict[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at a step; `seconds` as in the snapshots."""

    id: int
    step: int
    seconds: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """A checkpoint that was written; `file` is its name in the folder `checkpoints`."""

    id: int
    step: int
    seconds: float
    file: str
    score: float | None


class StoreReader:
    """Read-only view of a store. A file that does not exist yet reads as empty."""

    def __init__(self, database: Path) -> None:
        """Touches no file: it is opened by the first read that finds one."""
        self._database = database
        self._connection: sqlite3.Connection | None = None

    def metrics_after(self, row: int) -> MetricRows:
        """All rows of metrics with an id above `row`; 0 reads from the start."""
        parts = self._read(
            "SELECT id, step, seconds, epoch, lineage, means FROM metrics WHERE id > ? ORDER BY id",
            row,
            convert=_metrics_part,
        )
        # Names are read after the rows, so every position a row uses has its name.
        names = self._read("SELECT name FROM metric ORDER BY position", convert=_first_column)
        if not parts or names is None:
            parts, names = [_metrics_part([])], []
        ids, steps, seconds, epochs, lineages = (
            np.concatenate(column)
            for column in zip(*(figures for figures, _ in parts), strict=True)
        )
        table = np.full((sum(map(len, names)), len(ids)), np.nan, np.float32)
        end = 0
        for _, means in parts:
            begin, end = end, end + len(means)
            table[: means.shape[1], begin:end] = means.T
        return MetricRows(
            last=int(ids[-1]) if len(ids) else row,
            steps=steps,
            seconds=seconds,
            epochs=epochs,
            lineages=lineages,
            values=dict(zip(chain.from_iterable(names), table, strict=True)),
        )

    def events_after(self, row: int) -> list[Event]:
        """All events with an id above `row`."""
        rows = self._rows(
            "SELECT id, step, seconds, kind, text FROM event WHERE id > ? ORDER BY id", row
        )
        return [Event(*values) for values in rows]

    def checkpoints(self) -> list[CheckpointRow]:
        """All checkpoints, the oldest first; the files of some may be gone."""
        rows = self._rows("SELECT id, step, seconds, file, score FROM checkpoint ORDER BY id")
        return [CheckpointRow(*values) for values in rows]

    def episodes_after(self, row: int) -> tuple[int, NDArray[np.void]]:
        """The id of the last sampled episode, and those with an id above `row` (`EPISODE`)."""
        rows = self._rows(
            "SELECT id, env_step, agent, length, score, episode_return, statistics"
            " FROM episode WHERE id > ? ORDER BY id",
            row,
        )
        episodes = np.zeros(len(rows), EPISODE)
        width = EPISODE["statistics"].itemsize
        for index, (_, *figures, statistics) in enumerate(rows):
            padded = np.frombuffer(statistics.ljust(width, b"\0"), "<f4")
            numbers = (math.nan if figure is None else figure for figure in figures)
            episodes[index] = (*numbers, padded)
        return (rows[-1][0] if rows else row), episodes

    def close(self) -> None:
        """Closes the file; a later read opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _rows(self, sql: str, *values: object) -> list[Row]:
        """The rows of a query; none if the store is not there yet, or locked right now."""
        return list(chain.from_iterable(self._read(sql, *values, convert=list) or []))

    def _read(
        self, sql: str, *values: object, convert: Callable[[list[Row]], Part]
    ) -> list[Part] | None:
        """The converted batches of a query; None if there is no store yet, or if it is locked."""
        try:
            if self._connection is None:
                self._connection = self._open()
            if self._connection is None:
                return None
            cursor = self._connection.execute(sql, values)
            return [convert(rows) for rows in iter(lambda: cursor.fetchmany(BATCH), [])]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                return None
            raise self._unreadable(error) from None
        except sqlite3.DatabaseError as error:
            raise self._unreadable(error) from None

    def _open(self) -> sqlite3.Connection | None:
        """A connection, or None while the writer has not made the tables."""
        if not self._database.exists():
            return None
        uri = f"{self._database.absolute().as_uri()}?mode=ro"
        try:
            return self._connect(uri)
        except sqlite3.OperationalError as error:
            # In a folder that may not be written SQLite cannot make the files that readers share.
            # With no log beside it the file is complete and nobody is writing.
            log = self._database.with_name(f"{self._database.name}-wal")
            refused = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
            if error.sqlite_errorcode & 0xFF not in refused or log.exists():
                raise
            return self._connect(f"{uri}&immutable=1")

    def _connect(self, uri: str) -> sqlite3.Connection | None:
        connection = sqlite3.connect(
            uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            ready = version(connection) > 0
        except BaseException:
            connection.close()
            raise
        if not ready:
            connection.close()
        return connection if ready else None

    def _unreadable(self, error: sqlite3.Error) -> PuffError:
        self.close()
        return PuffError(
            f"The store {self._database} cannot be read ({error}).",
            "Its checkpoints may still be good: pufftui resume.",
        )


def _first_column(rows: list[Row]) -> list[Any]:
    return [row[0] for row in rows]


def _metrics_part(rows: list[Row]) -> tuple[list[NDArray[Any]], NDArray[np.float32]]:
    """The columns of figures, and the means as (rows, metrics), NaN where a row has fewer."""
    *figures, blobs = zip(*rows, strict=True) if rows else [()] * 6
    types = (np.int64, np.int64, np.float64, np.int64, np.int64)
    arrays = [np.array(column, dtype) for column, dtype in zip(figures, types, strict=True)]
    lengths = np.array([len(blob) // 4 for blob in blobs], np.int64)
    means = np.full((len(rows), lengths.max(initial=0)), np.nan, np.float32)
    for length in set(lengths.tolist()):
        same = lengths == length
        packed = b"".join(compress(blobs, same))
        means[same, :length] = np.frombuffer(packed, "<f4").reshape(same.sum(), length)
    return arrays, means
