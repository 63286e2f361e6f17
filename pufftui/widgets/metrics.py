"""Every metric of a run as a chart of its own, for runs that are not pufftui's."""

from __future__ import annotations

import numpy as np

from pufftui.format import figure, fit
from pufftui.history import History
from pufftui.plot import Line, chart
from pufftui.theme import PuffTheme
from pufftui.widgets.painted import Card

LEAST_WIDTH, LEAST_HEIGHT = 38, 6
"""Cells below which a chart says little; what does not fit so is on another page."""

MOST_WIDTH = 90
GAP = 2


class MetricsCard(Card):
    """A grid of charts, in the order in which the metrics were first written."""

    title = "metrics"
    airy = 12
    waiting = "nothing has been logged yet"

    def __init__(self, look: PuffTheme, history: History) -> None:
        super().__init__(look, "metrics")
        self._history = history
        self._page = 0
        self._pages = 1

    def turn(self, by: int) -> None:
        """Shows another page, if there is one."""
        self._page = (self._page + by) % self._pages
        self.paint()

    def detail(self) -> str:
        pages = f"page {self._page + 1} of {self._pages} · " if self._pages > 1 else ""
        return f"{pages}{len(self._history.names)} metrics"

    def lines(self, width: int, height: int) -> list[Line]:
        columns, rows = self._grid(width - 2, height - 3)
        self._pages = max(1, -(-len(self._history.names) // (columns * rows)))
        self._page = min(self._page, self._pages - 1)
        return super().lines(width, height)

    def content(self, width: int, height: int) -> list[Line]:
        columns, rows = self._grid(width, height)
        names = self._history.names[self._page * columns * rows :][: columns * rows]
        if not names:
            return self.say(self.waiting, width, height)
        rows = min(rows, -(-len(names) // columns))
        lines: list[Line] = []
        for row in range(rows):
            tall = height // rows + (row < height % rows)
            across = names[row * columns : (row + 1) * columns]
            cells = [
                self._cell(name, row * columns + at, (width - GAP * (columns - 1)) // columns, tall)
                for at, name in enumerate(across)
            ]
            gap = (" " * GAP, self.look.style("dim"))
            for parts in zip(*cells, strict=True):
                line: Line = []
                for part in parts:
                    line += [*([gap] if line else []), *part]
                lines.append(line)
        return lines

    def _grid(self, width: int, height: int) -> tuple[int, int]:
        """Columns and rows of charts on a page: as many as there are, as large as they fit."""
        count = max(1, len(self._history.names))
        most_columns = max(1, (width + GAP) // (LEAST_WIDTH + GAP))
        most_rows = max(1, height // LEAST_HEIGHT)
        columns = min(most_columns, max(-(-width // MOST_WIDTH), -(-count // most_rows)), count)
        return columns, min(most_rows, -(-count // columns))

    def _cell(self, name: str, number: int, width: int, height: int) -> list[Line]:
        """A name, its last value and its chart, all lines `width` cells."""
        look, series = self.look, self._history.series(name)
        known = np.flatnonzero(series.count)
        last = None
        if len(known):
            at = known[-1]
            last = float(series.total[at] / series.count[at])
        value = figure(last)
        head: Line = [
            (fit(look.words(name), width - len(value) - 1), look.style("dim")),
            (f" {value}", look.style("text", bold=True)),
        ]
        blank: Line = [(" " * width, look.style("dim"))]
        room = height - 2
        if room < 1 or series.empty:
            return [head, *([blank] * (height - 1))]
        drawn = chart(look, series, f"series{number % 8}", width, room, axes=room >= 4)
        return [head, *(_padded(line, width, blank) for line in drawn), blank]


def _padded(line: Line, width: int, blank: Line) -> Line:
    used = sum(len(text) for text, _ in line)
    return [*line, (" " * (width - used), blank[0][1])] if used < width else line
