"""The writer's side of the file: what is to be remembered becomes rows, a batch a transaction."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pufftui.trainer.store.beyond import LARGEST, Beyond
from pufftui.trainer.store.levels import catch_up, roll_up
from pufftui.trainer.store.opening import journal, open_for_writing, writing
from pufftui.trainer.store.place import place_of
from pufftui.trainer.store.rescue import StoreFiles
from pufftui.trainer.store.texts import as_json, said, storable

# Errors of SQLite that concern a row; all others concern the file.
WRONG_VALUES = (
    sqlite3.DataError,
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
)


EXTREMES_KEPT = 36_000
"""Rows of metrics, ten hours at one a second, that keep their extremes beside the blocks'."""


class State(NamedTuple):
    """What a ledger knows of its file, which goes back when the file does."""

    lineage: int | None
    highest: int | None
    last: tuple[int, float]
    names: int
    refused: int
    refusal: str
    not_finite: tuple[tuple[int, int], ...]


class Ledger:
    """One lineage of rows, and another one whenever the steps go back.

    Opens the file when it first writes, and again after a failure. `refused` is how many inserts
    were left out because of their values, `refusal` says why one was, or a part of one.
    """

    def __init__(self, database: Path, from_step: int) -> None:
        """Touches no file; `from_step` is where the lineage leaves its parent."""
        self._database = database
        self._from_step = from_step
        self._connection: sqlite3.Connection | None = None
        self._files: StoreFiles | None = None
        self._lineage: int | None = None
        self._positions: dict[str, int] = {}
        self._last = (from_step, 0.0)
        self._highest: int | None = None
        self._beyond = Beyond()
        self.refused = 0
        self.refusal = ""

    @property
    def is_open(self) -> bool:
        """Whether the file could be opened, and the lineage begun."""
        return self._connection is not None

    def write(self, batch: Iterable[Callable[[Ledger], None]]) -> None:
        """Commits a batch whole or, raising `sqlite3.Error` or `PuffError`, not at all.

        An insert that cannot be stored because of its values is left out whole; the first such is
        told in an event.
        """
        if self._connection is None:
            self._open()
        assert self._connection is not None
        assert self._lineage is not None
        with self._transaction():
            for insert in batch:
                self._try(insert)
            roll_up(self._connection, self._lineage, ended=False)
        if self._files is not None:
            self._files.see(self._database)

    def go_on_at(self, database: Path) -> None:
        """Writes on under this name, which is the old one unless the file was moved.

        If the file was deleted, a copy of all that it held takes its place. Raises `sqlite3.Error`,
        `OSError` or `PuffError` if that fails; the file stays open, and it can be tried again.
        """
        if self._connection is not None and self._files is not None:
            if not self._files.are_at(database):
                self._files.copy(self._connection, database)
                self.close()
            elif database != self._database and journal(self._connection) != "wal":
                self.close()  # A rollback journal goes by the name that was opened.
        self._database = database

    def close(self) -> None:
        """Closes the file, undoing what is not committed; the next `write` opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = self._files = None

    def metrics(
        self,
        step: int,
        seconds: float,
        epoch: int,
        values: Mapping[str, float],
        extremes: Mapping[str, tuple[float, float]],
    ) -> None:
        """Adds a row of means, the lowest and highest of some of them, and names that are new.

        Where a value is not finite, the row lacks it, and it is noted since when that is so. What is
        no number is left out. Raises `ValueError` if there is nothing else.
        """
        values = self._numbers(values)
        for name in values:
            if name not in self._positions:
                position = len(self._positions)
                self._execute("INSERT INTO metric VALUES (?, ?)", position, name)
                self._positions[name] = position
        means = self._figures(values)
        if self._highest is not None and step < self._highest:
            self._begin_lineage(int(step) - 1)
        self._highest = int(step)
        self._last = (int(step), float(seconds))
        row = self._insert("metrics", *self._last, int(epoch), means)
        positions = [self._positions[name] for name in values]
        numbers = np.array(list(values.values()), np.float64)
        assert self._lineage is not None
        self._beyond.add(self._execute, (row, self._lineage, *self._last), positions, numbers)
        if extremes:
            known = {storable(name): both for name, both in extremes.items()}
            low, high = (
                self._figures({name: both[side] for name, both in known.items() if name in values})
                for side in (0, 1)
            )
            self._execute("INSERT INTO extremes VALUES (?, ?, ?)", row, low, high)
        self._execute("DELETE FROM extremes WHERE row <= ?", row - EXTREMES_KEPT)

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
        self._insert("event", *self._last, storable(kind), storable(text))

    def checkpoint(
        self, step: int, seconds: float, file: str, score: float | None, reason: str
    ) -> None:
        """Adds a checkpoint."""
        self._last = (int(step), float(seconds))
        known = None if score is None else float(score)
        # One that is written again at the same step stays pinned.
        row = self._execute("SELECT max(pinned) FROM checkpoint WHERE file = ?", file).fetchone()
        self._insert("checkpoint", *self._last, file, known, bool(row[0]), storable(reason))

    def alert(
        self,
        step: int,
        seconds: float,
        level: str,
        rule: str,
        title: str,
        text: str,
        evidence: Mapping[str, Any],
        advice: str,
    ) -> None:
        """Adds an alert that nobody has acknowledged yet."""
        words = (*map(storable, (level, rule, title, text)), as_json(evidence), storable(advice))
        self._insert("alert", int(step), float(seconds), *words, None, None, None)

    def alerts_over(self, step: int, seconds: float, rule: str | None) -> None:
        """The open alerts of a rule, or all of them, tell of something that is no longer so."""
        self._execute(
            "UPDATE alert SET over_step = ?1, over_seconds = ?2"
            " WHERE over_step IS NULL AND (?3 IS NULL OR rule = ?3)",
            *(int(step), float(seconds), rule),
        )

    def roll_back(self, step: int) -> None:
        """What follows goes on from this step, and later rows are abandoned."""
        self._begin_lineage(int(step))
        self._highest = None

    def command(
        self, step: int, seconds: float, at: float, name: str, detail: Mapping[str, Any]
    ) -> None:
        """Adds what a person asked."""
        self._insert("command", int(step), float(seconds), at, storable(name), as_json(detail))

    def system(
        self, step: int, seconds: float, reading: Mapping[str, float], gpus: Iterable[Any]
    ) -> None:
        """Adds a reading of the machine: the columns of the table by name."""
        columns = ", ".join(("lineage", "step", "seconds", *reading, "gpus"))
        values = (self._lineage, int(step), float(seconds), *reading.values(), as_json([*gpus]))
        places = ", ".join("?" * len(values))
        self._execute(f"INSERT INTO system ({columns}) VALUES ({places})", *values)  # noqa: S608

    def fact(self, name: str, value: object) -> None:
        """Remembers a fact about the run, instead of what was known under its name."""
        self._execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", storable(name), as_json(value))

    def notice(self, kind: str, text: str) -> None:
        """Adds an event about the store itself, at the step of the last row."""
        self._insert("event", *self._last, kind, storable(text))

    def _open(self) -> None:
        connection = self._connection = open_for_writing(self._database)
        self._files = StoreFiles(self._database)
        try:
            with self._transaction():
                names = self._execute("SELECT name, position FROM metric")
                self._positions = dict(names.fetchall())
                self._beyond.begin(self._execute)
                if self._lineage is None:
                    self._begin_lineage(self._from_step)
                    note = place_of(self._database.parent).note
                    if note:
                        self.notice("note", note)
                catch_up(connection)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Is committed whole or, if something is raised, not at all."""
        assert self._connection is not None
        before = self._state()
        with writing(self._database, self._connection):
            try:
                self._execute("BEGIN IMMEDIATE")
                yield
                self._execute("COMMIT")
            except BaseException:
                self._go_back_to(before)
                with suppress(sqlite3.Error):
                    self._connection.rollback()
                raise

    def _try(self, insert: Callable[[Ledger], None]) -> None:
        """Inserts all of it or, if something is wrong with the values, nothing."""
        assert self._connection is not None
        before = self._state()
        self._execute("SAVEPOINT insert_begins")
        try:
            insert(self)
        except Exception as error:  # what can be wrong with a stranger's values has no list
            of_the_file = isinstance(error, sqlite3.Error) and not isinstance(error, WRONG_VALUES)
            if of_the_file or not self._connection.in_transaction:
                raise
            self._execute("ROLLBACK TO insert_begins")
            self._go_back_to(before)
            self.refused += 1
            self._refuse(f"A row could not be stored: {said(error)}.")
        self._execute("RELEASE insert_begins")

    def _refuse(self, text: str) -> None:
        """Tells, the first time, of what is wrong with the values."""
        if not self.refusal:
            self.refusal = storable(text)
            self.notice("error", text)

    def _state(self) -> State:
        last = self._lineage, self._highest, self._last
        not_finite = tuple(self._beyond.open.items())
        return State(*last, len(self._positions), self.refused, self.refusal, not_finite)

    def _go_back_to(self, state: State) -> None:
        """What is known of the file, after the file itself went back."""
        self._lineage, self._highest, self._last = state.lineage, state.highest, state.last
        self.refused, self.refusal = state.refused, state.refusal
        self._beyond.open = dict(state.not_finite)
        if len(self._positions) > state.names:
            known = self._positions.items()
            self._positions = {name: at for name, at in known if at < state.names}

    def _numbers(self, values: Mapping[str, float]) -> dict[str, float]:
        """Those values that are numbers, by names that the file can hold."""
        numbers: dict[str, float] = {}
        wrong = []
        for name, value in values.items():
            try:
                numbers[storable(name)] = float(value)
            except Exception as error:  # noqa: BLE001 - a stranger's object may raise anything
                wrong.append(f"A value could not be stored: {said(error)}.")
        if wrong and not numbers:
            raise ValueError(wrong[0])
        for text in wrong[:1]:
            self._refuse(text)
        return numbers

    def _begin_lineage(self, from_step: int) -> None:
        if self._lineage is not None:
            assert self._connection is not None
            roll_up(self._connection, self._lineage, ended=True)
        self._beyond.leave(self._execute, from_step)
        opened = self._execute(
            "INSERT INTO lineage (parent, from_step, started)"
            " VALUES ((SELECT max(id) FROM lineage), ?, ?)",
            from_step,
            time.time(),
        )
        self._lineage = opened.lastrowid

    def _figures(self, values: Mapping[str, float]) -> bytes:
        figures = np.full(len(self._positions), np.nan, "<f4")
        numbers = np.array(list(values.values()), np.float64)
        places = [self._positions[name] for name in values]
        figures[places] = np.where(np.abs(numbers) <= LARGEST, numbers, np.nan)
        return figures.tobytes()

    def _insert(self, table: str, *values: object) -> int:
        places = ", ".join("?" * (len(values) + 1))
        sql = f"INSERT INTO {table} VALUES (NULL, {places})"  # noqa: S608
        return self._execute(sql, self._lineage, *values).lastrowid or 0

    def _execute(self, sql: str, *values: object) -> sqlite3.Cursor:
        assert self._connection is not None
        return self._connection.execute(sql, values)
