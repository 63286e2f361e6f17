"""Runs as a table for people: fitted to a terminal, or plain and complete for a pipe."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pufftui.appearance.format import cells as cells_of
from pufftui.appearance.format import duration, figure, fit, steps
from pufftui.appearance.harmless import harmless
from pufftui.runs.summary import BROKEN, RunSummary

SPARKS = "▁▂▃▄▅▆▇█"
SPARK_WIDTH = 12
GAP = 2
LEAST_NAME = 14
"""Cells to which the name is cut before a column is left out."""

COLOURS = {
    "running": "32",
    "starting": "32",
    "paused": "33",
    "finished": "36",
    "interrupted": "33",
    "failed": "31",
    "dead": "31",
    "broken": "31",
}
"""Colour of the terminal by state."""

CURVE = "34"


@dataclass(frozen=True, slots=True)
class Column:
    """One column; those with a high `rank` are left out first where there is no room."""

    title: str
    text: Callable[[RunSummary], str]
    rank: int
    right: bool = False


def _tags(run: RunSummary) -> str:
    return " ".join(run.tags)


COLUMNS = (
    Column("run", lambda run: run.name, 0),
    Column("env", lambda run: run.env or ("(log)" if run.logged else "–"), 5),
    Column("state", lambda run: run.state, 1),
    Column("steps", lambda run: steps(run.step), 3, right=True),
    Column("score", lambda run: figure(run.score), 2, right=True),
    Column("best", lambda run: figure(run.best), 4, right=True),
    Column("evaluated", lambda run: run.evaluated.words if run.evaluated else "", 4),
    Column("curve", lambda run: spark(run.curve, SPARK_WIDTH), 6),
    Column("took", lambda run: duration(run.seconds), 8, right=True),
    Column("age", lambda run: _age(run.age), 7, right=True),
    Column("tags", _tags, 9),
)

RARE = ("evaluated", "tags")
"""Columns that are there only if some run has something in them."""


def plain_table(runs: Sequence[RunSummary]) -> list[str]:
    """All columns and whole texts, whatever the terminal; the first line names the columns."""
    rows = [[harmless(column.text(run)) for column in COLUMNS] for run in runs]
    widths = [
        max(len(column.title), *(cells_of(row[at]) for row in rows)) if rows else len(column.title)
        for at, column in enumerate(COLUMNS)
    ]
    head = _join([column.title for column in COLUMNS], COLUMNS, widths)
    return [head, *(_join(row, COLUMNS, widths) for row in rows)]


def fitted_table(runs: Sequence[RunSummary], width: int) -> list[str]:
    """As many columns as `width` cells hold, in colour; a broken run says what is wrong."""
    columns, widths = _fit(runs, width)
    head = _join([column.title for column in columns], columns, widths)
    lines = [f"\x1b[2m{head[:width]}\x1b[0m"]
    for run in runs:
        cells = [
            fit(column.text(run), size).rstrip()
            for column, size in zip(columns, widths, strict=True)
        ]
        if run.state == BROKEN:
            name, room = fit(cells[0], widths[0]), width - widths[0] - GAP
            why = fit(f"{BROKEN}  {run.trouble}", room).rstrip()
            lines.append(f"{name}{' ' * GAP}{_paint(why, BROKEN)}" if room > 0 else name)
            continue
        lines.append(_join(cells, columns, widths, run))
    return lines


def _fit(runs: Sequence[RunSummary], width: int) -> tuple[list[Column], list[int]]:
    """The columns there is room for and their widths; the name gives way first."""
    sound = [run for run in runs if run.state != BROKEN]
    columns = [
        column
        for column in COLUMNS
        if column.title not in RARE or any(column.text(run) for run in sound)
    ]

    def needed(column: Column) -> int:
        whose = runs if column is COLUMNS[0] else sound
        return max([len(column.title), *(cells_of(column.text(run)) for run in whose)])

    widths = {column.title: needed(column) for column in columns}
    least = min(LEAST_NAME, widths["run"])

    def too_wide() -> int:
        used = sum(widths[column.title] for column in columns) + GAP * (len(columns) - 1)
        return used - width

    while len(columns) > 1 and too_wide() > widths["run"] - least:
        columns.remove(max(columns, key=lambda column: column.rank))
    widths["run"] -= max(0, too_wide())
    widths["run"] = max(1, widths["run"])
    return columns, [widths[column.title] for column in columns]


def _join(
    cells: Sequence[str],
    columns: Sequence[Column],
    widths: Sequence[int],
    run: RunSummary | None = None,
) -> str:
    parts = []
    for cell, column, size in zip(cells, columns, widths, strict=True):
        blank = " " * (size - cells_of(cell))
        text = blank + cell if column.right else cell + blank
        if run is not None and column.title == "state":
            text = _paint(text, run.state)
        if run is not None and column.title == "curve":
            text = f"\x1b[{CURVE}m{text}\x1b[0m"
        parts.append(text)
    return (" " * GAP).join(parts).rstrip()


def _paint(text: str, state: str) -> str:
    return f"\x1b[{COLOURS.get(state, '0')}m{text}\x1b[0m"


def spark(values: NDArray[np.floating[Any]], width: int) -> str:
    """A curve as a row of bars, from its lowest to its highest value; empty without any."""
    known = values[~np.isnan(values)]
    if not len(known):
        return ""
    places = np.linspace(0, len(known), min(width, len(known)) + 1).astype(int)[:-1]
    heights = np.maximum.reduceat(known, places)
    low, high = float(heights.min()), float(heights.max())
    if not math.isfinite(high - low) or high <= low:
        return SPARKS[0] * len(heights)
    levels = np.rint((heights - low) / (high - low) * (len(SPARKS) - 1)).astype(int)
    return "".join(SPARKS[level] for level in levels)


def _age(seconds: float | None) -> str:
    return "–" if seconds is None else duration(seconds).split(" ")[0]
