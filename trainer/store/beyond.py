"""What a row of float32 cannot hold: large numbers to the last digit, and values that are no numbers."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Collection

import numpy as np
from numpy.typing import NDArray

from pufftui.trainer.store.columns import Columns
from pufftui.trainer.store.records import NotFinite

LARGEST = float(np.finfo(np.float32).max)

WHOLE = 2.0**24
"""Up to here a float32 holds every whole number."""

Execute = Callable[..., sqlite3.Cursor]

NOT_FINITE = """
    SELECT name, step, seconds, value FROM not_finite JOIN metric USING (position)
    WHERE over_step IS NULL {} ORDER BY id
"""
EXACT = "SELECT row, position, value FROM exact WHERE row BETWEEN ? AND ?"


class Beyond:
    """Writes these beside the rows; `open` are the stretches that last, by the metric's position."""

    def __init__(self) -> None:
        self.open: dict[int, int] = {}

    def begin(self, execute: Execute) -> None:
        """Takes over the stretches of a file that was opened."""
        found = execute("SELECT position, id FROM not_finite WHERE over_step IS NULL")
        self.open = dict(found.fetchall())

    def leave(self, execute: Execute, step: int) -> None:
        """The run has gone back to a step: what was so only later is so no more."""
        execute(
            "UPDATE not_finite SET over_step = ?1 WHERE over_step IS NULL AND step > ?1",
            step,
        )
        self.begin(execute)

    def add(
        self,
        execute: Execute,
        place: tuple[int, int, int, float],
        positions: list[int],
        numbers: NDArray[np.float64],
    ) -> None:
        """The values of a row, with its (id, lineage, step, seconds)."""
        row, lineage, step, seconds = place
        finite = np.abs(numbers) <= LARGEST
        single = np.where(finite, numbers, 0.0).astype(np.float32)
        large = finite & (np.abs(numbers) >= WHOLE) & (single != numbers)
        for at in np.flatnonzero(large).tolist():
            execute("INSERT INTO exact VALUES (?, ?, ?)", row, positions[at], float(numbers[at]))
        for at in np.flatnonzero(~finite).tolist():
            if positions[at] not in self.open:
                stretch = execute(
                    "INSERT INTO not_finite VALUES (NULL, ?, ?, ?, ?, ?, NULL)",
                    *(lineage, positions[at], step, seconds, str(float(numbers[at]))),
                )
                self.open[positions[at]] = stretch.lastrowid or 0
        if self.open:
            for at in np.flatnonzero(finite).tolist():
                over = self.open.pop(positions[at], None)
                if over is not None:
                    execute("UPDATE not_finite SET over_step = ? WHERE id = ?", step, over)


def not_finite_now(
    connection: sqlite3.Connection, only: Collection[str] | None = None
) -> dict[str, NotFinite]:
    """The metrics, all or some, whose last value was no finite number, and since when."""
    among, names = "", tuple(only or ())
    if only is not None:
        among = f"AND name IN ({', '.join('?' * len(names))})"
    return {
        name: NotFinite(int(step), float(seconds), _number(value))
        for name, step, seconds, value in connection.execute(NOT_FINITE.format(among), names)
    }


def _number(text: str) -> float:
    """What was written, also by a stranger: NaN is what is no number."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def put_exact(
    connection: sqlite3.Connection,
    rows: NDArray[np.int64],
    values: Columns,
) -> None:
    """Puts the exact numbers of some rows, with rising ids, in place of the float32 ones."""
    if not len(rows):
        return
    for row, position, value in connection.execute(EXACT, (int(rows[0]), int(rows[-1]))):
        at = int(np.searchsorted(rows, row))
        if position >= len(values) or at >= len(rows) or rows[at] != row:
            continue
        name = values.names.known[position]
        if name not in values.exact:
            values.exact[name] = values[name].astype(np.float64)
        values.exact[name][at] = value
