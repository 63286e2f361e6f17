"""Reads the store of a live or finished run, from any thread or process, without disturbing it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.errors import PuffError
from pufftui.trainer.files.held_folder import Identity, identity
from pufftui.trainer.store.beyond import not_finite_now, put_exact
from pufftui.trainer.store.columns import Columns, Names
from pufftui.trainer.store.glance import consistently
from pufftui.trainer.store.opening import Copy, open_for_reading
from pufftui.trainer.store.parts import (
    Row,
    episodes_part,
    facts,
    first_column,
    gpus,
    mapping,
    metrics_part,
)
from pufftui.trainer.store.place import locks_beside
from pufftui.trainer.store.records import (
    AlertRow,
    CheckpointRow,
    CommandRow,
    EpisodeRows,
    EvaluationRow,
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
        self._names = Names()

    def metrics_after(self, row: int, most: int = -1) -> MetricRows:
        """The rows of metrics with an id above `row`, the first `most` or all; 0 is the start."""
        parts = self._read(
            "SELECT id, step, seconds, epoch, lineage, means FROM metrics"
            " WHERE id > ? ORDER BY id LIMIT ?",
            row,
            most,
            convert=metrics_part,
        )
        # Names are read after the rows, so every position a row uses has its name.
        names = self._all_names() if parts else None
        if not parts or names is None:
            parts, names = [metrics_part([])], Names()
        ids, steps, seconds, epochs, lineages = (
            np.concatenate(column)
            for column in zip(*(figures for figures, _ in parts), strict=True)
        )
        table = np.full((len(names), len(ids)), np.nan, np.float32)
        end = 0
        for _, means in parts:
            begin, end = end, end + len(means)
            table[: means.shape[1], begin:end] = means.T
        values = Columns(names, table)
        self._ask(lambda asked: put_exact(asked, ids, values))
        return MetricRows(
            last=int(ids[-1]) if len(ids) else row,
            steps=steps,
            seconds=seconds,
            epochs=epochs,
            lineages=lineages,
            values=values,
        )

    def metric_names(self) -> list[str]:
        """The names of all metrics, in the order in which they came."""
        return list((self._all_names() or Names()).known)

    def newest_values(self, only: Collection[str] | None = None) -> dict[str, float]:
        """The last known value of the metrics of the run as it is now, however long ago it was given.

        Of all of them, or `only` of some, whose number alone the costs then depend on.
        """
        return self._ask_at_once(lambda asked: newest_values(asked, only)) or {}

    def not_finite(self, only: Collection[str] | None = None) -> dict[str, NotFinite]:
        """The metrics, all or some, that were last given something else than a finite number."""
        return self._ask(lambda asked: not_finite_now(asked, only)) or {}

    def last_row(self) -> int:
        """The id of the last row of metrics, 0 before the first."""
        return int(next(iter(self._rows("SELECT coalesce(max(id), 0) FROM metrics")), (0,))[0])

    def last_place(self) -> tuple[int, float]:
        """Step and seconds of the last row of metrics, 0 before the first."""
        sql = "SELECT step, seconds FROM metrics ORDER BY id DESC LIMIT 1"
        step, seconds = next(iter(self._rows(sql)), (0, 0.0))
        return int(step), float(seconds)

    def metrics_between(
        self,
        first_step: int = 0,
        last_step: int = END,
        points: int = 2000,
        only: Collection[str] | None = None,
    ) -> MetricBlocks:
        """The curves of the run as it is now over a stretch of steps, both ends included.

        There are at most about `points` blocks, and at least a sixteenth of that if the stretch
        has so many rows; fewer where very many metrics are asked for, all or `only` some. Rows of
        abandoned lineages are left out.
        """
        blocks = self._ask_at_once(
            lambda asked: blocks_between(asked, first_step, last_step, points, only)
        )
        return blocks or together([], Names(), 0)

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
            decode={"evidence": mapping},
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
            decode={"detail": mapping},
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
            decode={"gpus": gpus},
        )
        return rows[::-1]

    def checkpoints(self) -> list[CheckpointRow]:
        """All checkpoints, the oldest first; the files of some may be gone."""
        return self._records(
            CheckpointRow,
            "SELECT id, step, seconds, file, score, pinned, reason FROM checkpoint ORDER BY id",
            decode={"pinned": bool},
        )

    def evaluations(self) -> list[EvaluationRow]:
        """All evaluations of the run's policies, the oldest first."""
        return self._records(
            EvaluationRow,
            "SELECT id, step, at, result FROM evaluation ORDER BY id",
            decode={"result": mapping},
        )

    def pinned_files(self) -> set[str] | None:
        """The checkpoints that a person wants to keep; None if the store is locked right now."""
        parts = self._read(
            "SELECT CAST(file AS TEXT) FROM checkpoint WHERE pinned", convert=first_column
        )
        if parts is None:
            return None if self._database.exists() else set()
        return set(chain.from_iterable(parts))

    def tags(self) -> list[str]:
        """The words that a person gave the run, sorted."""
        return [name for (name,) in self._rows("SELECT CAST(name AS TEXT) FROM tag ORDER BY name")]

    def facts(self) -> dict[str, Any]:
        """What is known about the whole run, by name."""
        parts = self._read("SELECT name, value FROM fact ORDER BY name", convert=facts)
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
            convert=episodes_part,
        )
        ids, steps, lineages, episodes = (
            np.concatenate(column) for column in zip(*(parts or [episodes_part([])]), strict=True)
        )
        last = int(ids[-1]) if len(ids) else row
        return EpisodeRows(last=last, steps=steps, lineages=lineages, episodes=episodes)

    def close(self) -> None:
        """Closes the file; a later read opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _all_names(self) -> Names | None:
        """The names of the metrics, of which those that are known are not read again. None as `_ask`."""
        sql = "SELECT CAST(name AS TEXT) FROM metric ORDER BY position LIMIT -1 OFFSET ?"
        newest = self._names.known[-1:]
        parts = self._read(sql, len(self._names) - len(newest), convert=first_column)
        if parts is None:
            return None
        more = list(chain.from_iterable(parts))
        if more[: len(newest)] != newest:  # It is another file.
            self._names = Names()
            return self._all_names()
        self._names.add(more[len(newest) :])
        return self._names

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
