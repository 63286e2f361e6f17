"""Reads the store of a live or finished run, from any thread or process, without disturbing it."""

from __future__ import annotations

import json
import math
import sqlite3
import time
from collections.abc import Callable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.errors import PuffError
from pufftui.envs.vector import EPISODE
from pufftui.trainer.files.held_folder import Identity, identity
from pufftui.trainer.store.beyond import not_finite_now, put_exact
from pufftui.trainer.store.blobs import unpack
from pufftui.trainer.store.glance import consistently
from pufftui.trainer.store.opening import Copy, open_for_reading
from pufftui.trainer.store.place import locks_beside
from pufftui.trainer.store.records import (
    AlertRow,
    CheckpointRow,
    CommandRow,
    EpisodeRows,
    Event,
    Lineage,
    MetricBlocks,
    MetricRows,
    Note,
    NotFinite,
    SystemRow,
)
from pufftui.trainer.store.typed import NOTHING, Decode, Record, records
from pufftui.trainer.store.zoom import (
    END,
    abandoned_blocks,
    blocks_between,
    lineages,
    newest_values,
    together,
)

Row = tuple[Any, ...]
Answer = TypeVar("Answer")

# So few rows at a time never outlive a turn of Python's garbage collector, which doubles the time.
BATCH = 500

NONSENSE = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError)
"""What comes of values that a store holds only when it is damaged."""

COPY_SECONDS = 10.0
"""A store that can only be copied is copied again after so long."""


class StoreReader:
    """Read-only view of a store. A file that does not exist yet reads as empty.

    So does one that somebody has locked, for those who look again soon; with `at_once` that is a
    `PuffError`, for those who do not.
    """

    def __init__(self, database: Path | Callable[[], Path], *, at_once: bool = False) -> None:
        """Touches no file: it is opened by the first read that finds one.

        A run that this process trains may be moved: then `database` is asked where the file is now.
        """
        self._locate = database if callable(database) else None
        self._database = database() if callable(database) else database
        self._opened: Identity | None = None
        self._folder: Identity | None = None
        self._at_once = at_once
        self._connection: sqlite3.Connection | None = None
        self._copied = 0.0

    def metrics_after(self, row: int, most: int = -1) -> MetricRows:
        """The rows of metrics with an id above `row`, the first `most` or all; 0 is the start."""
        parts = self._read(
            "SELECT id, step, seconds, epoch, lineage, means FROM metrics"
            " WHERE id > ? ORDER BY id LIMIT ?",
            row,
            most,
            convert=_metrics_part,
        )
        # Names are read after the rows, so every position a row uses has its name.
        names = self._read(
            "SELECT CAST(name AS TEXT) FROM metric ORDER BY position", convert=_first_column
        )
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
        known = list(chain.from_iterable(names))
        values: dict[str, NDArray[np.floating]] = dict(zip(known, table, strict=True))
        self._ask(lambda asked: put_exact(asked, ids, known, values))
        return MetricRows(
            last=int(ids[-1]) if len(ids) else row,
            steps=steps,
            seconds=seconds,
            epochs=epochs,
            lineages=lineages,
            values=values,
        )

    def newest_values(self) -> dict[str, float]:
        """The last known value of every metric of the run as it is now, however long ago it was given."""
        return self._ask_at_once(newest_values) or {}

    def not_finite(self) -> dict[str, NotFinite]:
        """The metrics that were last given something else than a finite number."""
        return self._ask(not_finite_now) or {}

    def last_row(self) -> int:
        """The id of the last row of metrics, 0 before the first."""
        return int(next(iter(self._rows("SELECT coalesce(max(id), 0) FROM metrics")), (0,))[0])

    def metrics_between(
        self, first_step: int = 0, last_step: int = END, points: int = 2000
    ) -> MetricBlocks:
        """The curves of the run as it is now over a stretch of steps, both ends included.

        There are at most about `points` blocks, and at least a sixteenth of that if the stretch
        has so many rows. Rows of abandoned lineages are left out.
        """
        blocks = self._ask_at_once(
            lambda asked: blocks_between(asked, first_step, last_step, points)
        )
        return blocks or together([], [], 0)

    def abandoned(self, most: int, points: int = 500) -> list[MetricBlocks]:
        """The curves that the run has gone back over, at most `most`, the newest first."""
        stretches = self._ask_at_once(lambda asked: abandoned_blocks(asked, most, points))
        return stretches or []

    def lineages(self) -> list[Lineage]:
        """All starts of the run, the oldest first."""
        return self._ask(lineages) or []

    def events_after(self, row: int) -> list[Event]:
        """All events with an id above `row`."""
        return self._records(
            Event,
            "SELECT id, step, seconds, kind, text, lineage FROM event WHERE id > ? ORDER BY id",
            row,
        )

    def alerts_after(self, row: int) -> list[AlertRow]:
        """All alerts with an id above `row`; those before it may be acknowledged meanwhile."""
        return self._records(
            AlertRow,
            "SELECT id, step, seconds, level, rule, title, text, evidence, advice, acknowledged_at,"
            " over_step FROM alert WHERE id > ? ORDER BY id",
            row,
            decode={"evidence": _mapping},
        )

    def muted(self) -> set[str]:
        """The rules that call nobody any more."""
        return {rule for (rule,) in self._rows("SELECT CAST(rule AS TEXT) FROM mute")}

    def commands_after(self, row: int) -> list[CommandRow]:
        """All commands with an id above `row`."""
        return self._records(
            CommandRow,
            "SELECT id, step, seconds, at, name, detail FROM command WHERE id > ? ORDER BY id",
            row,
            decode={"detail": _mapping},
        )

    def notes_after(self, row: int) -> list[Note]:
        """All notes with an id above `row`."""
        return self._records(
            Note, "SELECT id, step, at, text FROM note WHERE id > ? ORDER BY id", row
        )

    def system_after(self, row: int, newest: int = -1) -> list[SystemRow]:
        """The readings of the machine with an id above `row`: the `newest` so many, or all."""
        rows = self._records(
            SystemRow,
            "SELECT id, step, seconds, processor, process_cores, process_memory, memory_used,"
            " memory_total, disk_free, screen_cores, gpus FROM system WHERE id > ? ORDER BY id DESC LIMIT ?",
            row,
            newest,
            decode={"gpus": _gpus},
        )
        return rows[::-1]

    def checkpoints(self) -> list[CheckpointRow]:
        """All checkpoints, the oldest first; the files of some may be gone."""
        return self._records(
            CheckpointRow,
            "SELECT id, step, seconds, file, score, pinned, reason FROM checkpoint ORDER BY id",
            decode={"pinned": bool},
        )

    def pinned_files(self) -> set[str] | None:
        """The checkpoints that a person wants to keep; None if the store is locked right now."""
        parts = self._read(
            "SELECT CAST(file AS TEXT) FROM checkpoint WHERE pinned", convert=_first_column
        )
        if parts is None:
            return None if self._database.exists() else set()
        return set(chain.from_iterable(parts))

    def tags(self) -> list[str]:
        """The words that a person gave the run, sorted."""
        return [name for (name,) in self._rows("SELECT CAST(name AS TEXT) FROM tag ORDER BY name")]

    def facts(self) -> dict[str, Any]:
        """What is known about the whole run, by name."""
        parts = self._read("SELECT name, value FROM fact ORDER BY name", convert=_facts)
        return {name: value for part in parts or [] for name, value in part.items()}

    def episodes_after(self, row: int) -> tuple[int, NDArray[np.void]]:
        """The id of the last sampled episode, and those with an id above `row` (`EPISODE`)."""
        rows = self.episode_rows(row)
        return rows.last, rows.episodes

    def episode_rows(self, row: int, most: int = -1) -> EpisodeRows:
        """Sampled episodes with an id above `row`, the first `most` or all, and whence they are."""
        parts = self._read(
            "SELECT id, step, lineage, env_step, agent, length, score, episode_return, statistics"
            " FROM episode WHERE id > ? ORDER BY id LIMIT ?",
            row,
            most,
            convert=_episodes_part,
        )
        ids, steps, lineages, episodes = (
            np.concatenate(column) for column in zip(*(parts or [_episodes_part([])]), strict=True)
        )
        last = int(ids[-1]) if len(ids) else row
        return EpisodeRows(last=last, steps=steps, lineages=lineages, episodes=episodes)

    def close(self) -> None:
        """Closes the file; a later read opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _rows(self, sql: str, *values: object) -> list[Row]:
        """The rows of a query; none if the store is not there yet, or locked right now."""
        return list(chain.from_iterable(self._read(sql, *values, convert=list) or []))

    def _records(
        self,
        record: type[Record],
        sql: str,
        *values: object,
        decode: Mapping[str, Decode] = NOTHING,
    ) -> list[Record]:
        """A record of each row of a query; none as `_rows`."""
        parts = self._read(sql, *values, convert=lambda rows: records(record, rows, decode))
        return list(chain.from_iterable(parts or []))

    def _read(
        self, sql: str, *values: object, convert: Callable[[list[Row]], Answer]
    ) -> list[Answer] | None:
        """The converted batches of a query; None as `_ask`."""

        def batches(connection: sqlite3.Connection) -> list[Answer]:
            cursor = connection.execute(sql, values)
            return [convert(rows) for rows in iter(lambda: cursor.fetchmany(BATCH), [])]

        return self._ask(batches)

    def _ask_at_once(self, question: Callable[[sqlite3.Connection], Answer]) -> Answer | None:
        """As `_ask`, in one transaction, so that all queries of the question see the same state."""

        def asked(connection: sqlite3.Connection) -> Answer:
            with connection:
                connection.execute("BEGIN")
                return question(connection)

        return self._ask(asked)

    def _ask(self, question: Callable[[sqlite3.Connection], Answer]) -> Answer | None:
        """The answer of the store; None if there is no store yet, or if it is locked."""
        try:
            self._follow()
            if locks_beside(self._database):
                return self._put(question)
            return consistently(self._database, lambda: self._put(question), self.close)
        except sqlite3.OperationalError as error:
            code = getattr(error, "sqlite_errorcode", 0)  # a text that is none has no code
            if code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                if not self._at_once:
                    return None
                raise PuffError(
                    f"The store {self._database} is locked by another program.",
                    "Try again when that program is done with it.",
                ) from None
            raise self._unreadable(error) from None
        except (sqlite3.DatabaseError, *NONSENSE) as error:
            raise self._unreadable(error) from None

    def _follow(self) -> None:
        """Closes a file whose place another has taken that tells on the same run."""
        if self._locate is not None:
            self._database = self._locate()
        if self._connection is None or identity(self._database) in (None, self._opened):
            return
        if self._locate is not None or identity(self._database.parent) == self._folder:
            self.close()

    def _put(self, question: Callable[[sqlite3.Connection], Answer]) -> Answer | None:
        if isinstance(self._connection, Copy) and time.monotonic() > self._copied + COPY_SECONDS:
            self.close()
        if self._connection is None:
            self._folder = identity(self._database.parent)
            self._opened = identity(self._database)
            self._connection = open_for_reading(self._database)
            self._copied = time.monotonic()
        return None if self._connection is None else question(self._connection)

    def _unreadable(self, error: Exception) -> PuffError:
        self.close()
        return PuffError(
            f"The store {self._database} cannot be read ({error}).",
            "Its checkpoints may still be good: pufftui resume.",
        )


def _first_column(rows: list[Row]) -> list[Any]:
    return [row[0] for row in rows]


def _mapping(text: str) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError(f"{text:.40} is no JSON object")  # noqa: TRY004 - of data, not of code
    return value


def _facts(rows: list[Row]) -> dict[str, Any]:
    return {str(name): json.loads(value) for name, value in rows}


def _episodes_part(rows: list[Row]) -> tuple[NDArray[Any], ...]:
    """Ids, steps, lineages and episodes."""
    episodes = np.zeros(len(rows), EPISODE)
    width = EPISODE["statistics"].itemsize
    for index, (_, _, _, *figures, statistics) in enumerate(rows):
        padded = np.frombuffer(statistics.ljust(width, b"\0"), "<f4")
        numbers = (math.nan if figure is None else figure for figure in figures)
        episodes[index] = (*numbers, padded)
    columns = (np.array([row[column] for row in rows], np.int64) for column in range(3))
    return (*columns, episodes)


def _gpus(text: str) -> tuple[Any, ...]:
    gpus = json.loads(text)
    if not isinstance(gpus, list) or not all(isinstance(gpu, dict) for gpu in gpus):
        raise ValueError(f"{text:.40} is no list of GPUs")
    return tuple(gpus)


def _metrics_part(rows: list[Row]) -> tuple[list[NDArray[Any]], NDArray[np.float32]]:
    """The columns of figures, and the means as (rows, metrics), NaN where a row has fewer."""
    *figures, blobs = zip(*rows, strict=True) if rows else [()] * 6
    types = (np.int64, np.int64, np.float64, np.int64, np.int64)
    arrays = [np.array(column, dtype) for column, dtype in zip(figures, types, strict=True)]
    return arrays, unpack(blobs)[:, 0]
