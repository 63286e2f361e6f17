"""Coarser levels of the metrics, made as rows arrive, so that any zoom reads few of them."""

from __future__ import annotations

import sqlite3

import numpy as np

from pufftui.trainer.store.blobs import Figures, as_blocks, summed_up, unpack

FACTOR = 16
"""Rows in a block of level 1, and blocks in one of the next level."""

LEVELS = 4
"""A block of the last level covers 65,536 rows, most of a day."""

MOST_AT_ONCE = 512 * FACTOR

BLOCK_COLUMNS = "first_row, last_row, first_step, last_step, seconds, epoch"

NEWEST_BLOCK = """
    SELECT last_row FROM block WHERE level = ? AND lineage = ? ORDER BY first_row DESC LIMIT 1
"""
ROWS_NOT_COVERED = """
    SELECT id, id, step, step, seconds, epoch, means, low, high
    FROM metrics LEFT JOIN extremes ON row = id
    WHERE lineage = ? AND id > ? ORDER BY id LIMIT ?
"""
BLOCKS_NOT_COVERED = f"""
    SELECT {BLOCK_COLUMNS}, figures FROM block
    WHERE level = ? AND lineage = ? AND first_row > ? ORDER BY first_row LIMIT ?
"""  # noqa: S608
INSERT_BLOCK = f"""
    INSERT INTO block (lineage, level, {BLOCK_COLUMNS}, figures) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""  # noqa: S608


def catch_up(connection: sqlite3.Connection) -> None:
    """Makes every block that a store without blocks should have."""
    lineages = [row[0] for row in connection.execute("SELECT id FROM lineage ORDER BY id")]
    for lineage in lineages:
        roll_up(connection, lineage, ended=lineage != lineages[-1])


def roll_up(connection: sqlite3.Connection, lineage: int, *, ended: bool) -> None:
    """Sums up the rows of a lineage that are not in blocks yet, level by level.

    Only whole blocks are made, unless the lineage has ended: then a smaller one takes the rest.
    """
    for level in range(1, LEVELS + 1):
        if not _roll_up_level(connection, lineage, level, ended=ended) and not ended:
            break


def _roll_up_level(
    connection: sqlite3.Connection, lineage: int, level: int, *, ended: bool
) -> bool:
    """Makes the missing blocks of one level; whether there were any."""
    made = False
    newest = connection.execute(NEWEST_BLOCK, (level, lineage)).fetchone()
    covered = newest[0] if newest else 0
    while True:
        parts, figures = _not_covered(connection, lineage, level, covered)
        for start in range(0, len(parts), FACTOR):
            group = parts[start : start + FACTOR]
            if len(group) < FACTOR and not ended:
                return made
            first, last = group[0], group[-1]
            block = (first[0], last[1], first[2], last[3], first[4], first[5])
            summary = summed_up(figures[start : start + FACTOR]).astype("<f4").tobytes()
            connection.execute(INSERT_BLOCK, (lineage, level, *block, summary))
            covered, made = last[1], True
        if len(parts) < MOST_AT_ONCE:
            return made


def _not_covered(
    connection: sqlite3.Connection, lineage: int, level: int, covered: int
) -> tuple[list[tuple[int, ...]], Figures]:
    """Places and figures (n, 4, columns) of what is next in the level below `level`."""
    if level == 1:
        rows = connection.execute(ROWS_NOT_COVERED, (lineage, covered, MOST_AT_ONCE)).fetchall()
        means, low, high = (unpack([row[i] or b"" for row in rows])[:, 0] for i in (6, 7, 8))
        figures = as_blocks(means, low, high)
    else:
        values = (level - 1, lineage, covered, MOST_AT_ONCE)
        rows = connection.execute(BLOCKS_NOT_COVERED, values).fetchall()
        figures = unpack([row[6] for row in rows], rows=4)
    return [row[:6] for row in rows], np.ascontiguousarray(figures)
