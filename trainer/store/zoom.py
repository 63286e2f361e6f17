"""Finds the few blocks that show a stretch of a run, however long the run is."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pufftui.trainer.store.blobs import COUNT, HIGH, LOW, MEAN, Figures, as_blocks, chosen, unpack
from pufftui.trainer.store.columns import Columns, Names
from pufftui.trainer.store.levels import BLOCK_COLUMNS, FACTOR, LEVELS
from pufftui.trainer.store.records import Lineage, MetricBlocks
from pufftui.trainer.store.typed import records

END = 2**63 - 1

AT_ONCE = 64
"""Blocks that are looked at together for the last value of a metric."""

MOST_FIGURES = 2**23
LEAST_POINTS = 64
"""Curves of a run with very many metrics have fewer points, so that all of them fit into 200 MB or so."""

MOST_LOOKS = 300
"""So often blocks are looked into for it; after that their means have to do."""

ROWS = """
    SELECT id, id, step, step, seconds, epoch, lineage, means, low, high
    FROM metrics LEFT JOIN extremes ON row = id
    WHERE lineage = ? AND id BETWEEN ? AND ? AND step BETWEEN ? AND ? ORDER BY id
"""
BLOCKS = f"""
    SELECT {BLOCK_COLUMNS}, lineage, figures FROM block
    WHERE lineage = ?1 AND first_row BETWEEN ?2 AND ?3 AND last_row <= ?3
    AND first_step >= ?4 AND last_step <= ?5 AND level = ?6 ORDER BY first_row
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows of one lineage, by id and by step, both ends included."""

    lineage: int
    first_row: int
    last_row: int
    first_step: int
    last_step: int


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """The metrics that are asked for: their names, and their columns if that is not all of them."""

    names: Names
    columns: NDArray[np.int64] | None = None

    @classmethod
    def read(cls, connection: sqlite3.Connection, only: Collection[str] | None) -> Wanted:
        """All metrics of a store, or those of `only` that it has."""
        if only is None:
            sql = "SELECT CAST(name AS TEXT) FROM metric ORDER BY position"
            return cls(Names(row[0] for row in connection.execute(sql)))
        sql = "SELECT position, name FROM metric WHERE name = ?"
        found = [row for name in only for row in connection.execute(sql, (name,))]
        columns = np.array([position for position, _ in found], np.int64)
        return cls(Names(name for _, name in found), columns)

    def cut(self, blob: bytes | None, rows: int = 1) -> bytes:
        """What is wanted of a row or block."""
        if blob is None or self.columns is None:
            return blob or b""
        return chosen(blob, self.columns, rows)

    def position(self, at: int) -> int:
        """The column in the store of one of these metrics."""
        return at if self.columns is None else int(self.columns[at])


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some blocks in order, with figures (n, 4, columns).

    A place is (first row, last row, first step, last step, seconds, epoch, lineage).
    """

    places: list[tuple[Any, ...]]
    figures: Figures


def lineages(connection: sqlite3.Connection) -> list[Lineage]:
    """All lineages, the oldest first."""
    rows = connection.execute("SELECT id, parent, from_step, started FROM lineage ORDER BY id")
    return records(Lineage, rows.fetchall())


def kept_steps(known: list[Lineage]) -> list[tuple[int, int]]:
    """The lineages whose rows make up the run as it is now, each with its last step in it."""
    by_id = {lineage.id: lineage for lineage in known}
    kept = []
    lineage, limit = (known[-1] if known else None), END
    while lineage is not None:
        kept.append((lineage.id, limit))
        limit = min(limit, lineage.from_step)
        lineage = by_id.get(lineage.parent or 0)
    return kept[::-1]


def abandoned_steps(known: list[Lineage]) -> list[tuple[int, int, int]]:
    """The lineages of which the run has left something, each with the first and last step of that."""
    kept = dict(kept_steps(known))
    return [
        (lineage.id, kept.get(lineage.id, -1) + 1, END)
        for lineage in known
        if kept.get(lineage.id) != END
    ]


def blocks_between(
    connection: sqlite3.Connection,
    first_step: int,
    last_step: int,
    points: int,
    only: Collection[str] | None = None,
) -> MetricBlocks:
    """Blocks that hold every kept row of these steps, about `points` at most; of all metrics or some.

    Call it in a transaction: it asks several times.
    """
    wanted = [
        (lineage, first_step, min(last_step, limit))
        for lineage, limit in kept_steps(lineages(connection))
        if min(last_step, limit) >= first_step
    ]
    return _blocks(connection, wanted, points, only)


def newest_values(
    connection: sqlite3.Connection, only: Collection[str] | None = None
) -> dict[str, float]:
    """The last value that was known of each metric, or of some, however long ago, to its last digit.

    Call it in a transaction.
    """
    metrics = Wanted.read(connection, only)
    search = _Search(connection, metrics)
    for lineage, limit in reversed(kept_steps(lineages(connection))):
        search.look(_stretch(connection, lineage, 0, limit))
    return {metrics.names.known[at]: value for at, value in sorted(search.found.items())}


class _Search:
    """Goes from the newest row back, and only into blocks that know a metric which is still wanted."""

    def __init__(self, connection: sqlite3.Connection, metrics: Wanted) -> None:
        self.found: dict[int, float] = {}
        self._connection = connection
        self._metrics = metrics
        self._wanted = np.ones(len(metrics.names), bool)
        self._looks = 0

    def look(self, stretch: Stretch) -> None:
        """Looks for what is wanted in a stretch."""
        if not self._wanted.any():
            return
        self._looks += 1
        level = _level(stretch.last_row - stretch.first_row + 1, AT_ONCE)
        for part in reversed(_cover(self._connection, stretch, level, self._metrics)):
            for place, figures in zip(part.places[::-1], part.figures[::-1], strict=True):
                wanted = self._wanted[: figures.shape[1]]
                known = np.flatnonzero(wanted & (figures[COUNT] > 0))
                if not len(known):
                    continue
                if place[0] != place[1] and self._looks < MOST_LOOKS:
                    self.look(Stretch(place[6], *place[:4]))
                else:
                    self._take(place[0], known.tolist(), figures[MEAN])

    def _take(self, row: int, known: list[int], means: NDArray[np.float32]) -> None:
        sql = "SELECT position, value FROM exact WHERE row = ?"
        exact = dict(self._connection.execute(sql, (row,)))
        for at in known:
            self.found[at] = float(exact.get(self._metrics.position(at), means[at]))
        self._wanted[known] = False


def abandoned_blocks(connection: sqlite3.Connection, most: int, points: int) -> list[MetricBlocks]:
    """What the run has gone back over: at most `most` stretches that have rows, the newest first.

    Call it in a transaction.
    """
    found: list[MetricBlocks] = []
    for stretch in reversed(abandoned_steps(lineages(connection))):
        blocks = _blocks(connection, [stretch], points)
        if len(blocks.first_steps):
            found.append(blocks)
        if len(found) == most:
            break
    return found


def _blocks(
    connection: sqlite3.Connection,
    wanted: list[tuple[int, int, int]],
    points: int,
    only: Collection[str] | None = None,
) -> MetricBlocks:
    """The rows of so many lineages, each from a first to a last step."""
    stretches = [_stretch(connection, *steps) for steps in wanted]
    count = sum(max(stretch.last_row - stretch.first_row + 1, 0) for stretch in stretches)
    metrics = Wanted.read(connection, only)
    most = max(LEAST_POINTS, MOST_FIGURES // max(len(metrics.names), 1))
    level = _level(count, min(points, most))
    parts = [part for stretch in stretches for part in _cover(connection, stretch, level, metrics)]
    newest = connection.execute("SELECT coalesce(max(id), 0) FROM metrics").fetchone()[0]
    return together(parts, metrics.names, newest)


def _level(rows: int, points: int) -> int:
    """The level at which so many rows are about so many points."""
    level = 0
    while level < LEVELS and rows > max(points, 1) * FACTOR**level:
        level += 1
    return level


def _stretch(
    connection: sqlite3.Connection, lineage: int, first_step: int, last_step: int
) -> Stretch:
    """Rows that hold these steps of a lineage; at either end some that do not may be among them."""

    def first_block(condition: str, column: str, *values: int) -> int | None:
        sql = f"SELECT {column} FROM block WHERE level = 1 AND lineage = ? AND {condition} LIMIT 1"  # noqa: S608
        found = connection.execute(sql, (lineage, *values)).fetchone()
        return None if found is None else int(found[0])

    def edge(function: str) -> int | None:
        """The first or last row that is in no block: few rows are newer than the last block."""
        sql = (
            f"SELECT {function}(id) FROM metrics WHERE lineage = ?"  # noqa: S608
            " AND id > coalesce((SELECT last_row FROM block WHERE level = 1"
            " ORDER BY lineage DESC, first_row DESC LIMIT 1), 0)"
        )
        found = connection.execute(sql, (lineage,)).fetchone()[0]
        return None if found is None else int(found)

    first = first_block("last_step >= ? ORDER BY first_row", "first_row", first_step)
    after = first_block("first_step > ? ORDER BY first_row", "first_row", last_step)
    final = first_block("1 ORDER BY first_row DESC", "last_row")
    if first is None:
        first = edge("min")
    last = after - 1 if after is not None else edge("max") or final
    if first is None or last is None:
        return Stretch(lineage, 1, 0, first_step, last_step)
    return Stretch(lineage, first, last, first_step, last_step)


def _cover(
    connection: sqlite3.Connection, stretch: Stretch, level: int, metrics: Wanted
) -> list[Part]:
    """The stretch in blocks of at most this level; where they do not fit, in smaller ones."""
    if stretch.first_row > stretch.last_row:
        return []
    bounds = (
        stretch.lineage,
        *(stretch.first_row, stretch.last_row),
        *(stretch.first_step, stretch.last_step),
    )
    if level == 0:
        rows = [(*row[:7], *map(metrics.cut, row[7:])) for row in connection.execute(ROWS, bounds)]
        means, low, high = (unpack([row[i] for row in rows])[:, 0] for i in (7, 8, 9))
        return [Part([row[:7] for row in rows], as_blocks(means, low, high))] if rows else []
    found = connection.execute(BLOCKS, (*bounds, level))
    rows = [(*row[:7], metrics.cut(row[7], rows=4)) for row in found]
    if not rows:
        return _cover(connection, stretch, level - 1, metrics)
    blocks = Part([row[:7] for row in rows], unpack([row[7] for row in rows], rows=4))
    before = Stretch(
        stretch.lineage, stretch.first_row, rows[0][0] - 1, stretch.first_step, stretch.last_step
    )
    after = Stretch(
        stretch.lineage, rows[-1][1] + 1, stretch.last_row, stretch.first_step, stretch.last_step
    )
    return [
        *_cover(connection, before, level - 1, metrics),
        blocks,
        *_cover(connection, after, level - 1, metrics),
    ]


def together(parts: list[Part], names: Names, newest: int) -> MetricBlocks:
    """The parts as one table; `names` of the metrics, `newest` row of the store."""
    places = [place for part in parts for place in part.places]
    columns = list(zip(*places, strict=True)) if places else [()] * 7
    table = np.full((4, len(names), len(places)), np.nan, np.float32)
    end = 0
    for part in parts:
        begin, end = end, end + len(part.places)
        table[:, : part.figures.shape[2], begin:end] = part.figures.transpose(1, 2, 0)

    return MetricBlocks(
        last=newest,
        first_steps=np.array(columns[2], np.int64),
        last_steps=np.array(columns[3], np.int64),
        seconds=np.array(columns[4], np.float64),
        epochs=np.array(columns[5], np.int64),
        lineages=np.array(columns[6], np.int64),
        low=Columns(names, table[LOW]),
        mean=Columns(names, table[MEAN]),
        high=Columns(names, table[HIGH]),
        count=Columns(names, np.nan_to_num(table[COUNT]).astype(np.int64)),
        coarse=any(first != last for first, last, *_ in places),
    )
