"""A grid of charts: every metric of a run, or those that a person has chosen."""

from __future__ import annotations

from collections.abc import Sequence

from pufftui.appearance.format import figure, fit
from pufftui.appearance.line import Line
from pufftui.appearance.theme import PuffTheme
from pufftui.charts.charting import Charting
from pufftui.charts.explain import label
from pufftui.charts.listing import Listing
from pufftui.widgets.curves import CurveCard

LEAST_WIDTH, LEAST_HEIGHT = 38, 7
"""Cells below which a chart says little; what does not fit so is on another page."""

LEAST_NAME = 8
"""Cells that the name of a metric keeps beside words about its value."""

MOST_WIDTH = 90
MOST_COLUMNS = 6
GAP = 2
NOTHING = "nothing has been logged yet"


class ChartsCard(CurveCard):
    """Pages of charts. One of them is selected: keys ask about it, hide it, change its y axis."""

    title = "charts"
    airy = 12
    accent = "text"

    def __init__(self, look: PuffTheme, charting: Charting) -> None:
        super().__init__(look, "charts", charting)
        self.pattern = ""
        self.hidden: set[str] = set()
        self.columns = 0
        """Charts beside each other; 0 as many as are good to read."""
        self._listing = Listing()
        self._page = 0
        self._pages = 1

    @property
    def names(self) -> Sequence[str]:
        """The metrics in sight or on other pages: what matches the pattern and is not hidden."""
        return self._listing.shown(self.charting.history.names, self.pattern, self.hidden)

    def turn(self, by: int) -> None:
        """Shows another page, if there is one, and selects its first chart."""
        self._page = (self._page + by) % self._pages
        columns, rows = self._grid(self.size.width - 2, self.size.height - 3)
        names = self.names[self._page * columns * rows :]
        if names:
            self.charting.selected = names[0]
        self.paint()

    def show_selected(self) -> None:
        """Turns to the page of the selected chart."""
        columns, rows = self._grid(self.size.width - 2, self.size.height - 3)
        if self.charting.selected in self.names:
            self._page = self.names.index(self.charting.selected) // (columns * rows)
        self.paint()

    def detail(self) -> str:
        parts = []
        if self._pages > 1:
            parts.append(f"page {self._page + 1} of {self._pages}")
        count = len(self.names)
        parts.append("1 metric" if count == 1 else f"{count} metrics")
        if self.pattern:
            parts.append(f"matching {self.pattern}")
        elif self.hidden:
            parts.append(f"{len(self.hidden)} hidden")
        if self.charting.place:
            parts.insert(0, f"at {self.charting.place}")
        return " · ".join(parts)

    def lines(self, width: int, height: int) -> list[Line]:
        columns, rows = self._grid(width - 2, height - 3)
        self._pages = max(1, -(-len(self.names) // (columns * rows)))
        self._page = min(self._page, self._pages - 1)
        return super().lines(width, height)

    def content(self, width: int, height: int) -> list[Line]:
        columns, rows = self._grid(width, height)
        names = self.names[self._page * columns * rows :][: columns * rows]
        if not names:
            none = f"no metric matches {self.pattern}" if self.pattern else NOTHING
            return self.say(self.trouble or none, width, height)
        rows = min(rows, -(-len(names) // columns))
        lines: list[Line] = []
        wide = (width - GAP * (columns - 1)) // columns
        for row in range(rows):
            tall = height // rows + (row < height % rows)
            across = names[row * columns : (row + 1) * columns]
            cells = []
            for at, name in enumerate(across):
                x = at * (wide + GAP)
                cells.append(self._cell(name, x, len(lines), wide, tall))
            gap = (" " * GAP, self.look.style("dim"))
            for parts in zip(*cells, strict=True):
                line: Line = []
                for part in parts:
                    line += [*([gap] if line else []), *part]
                lines.append(line)
        return lines

    def _grid(self, width: int, height: int) -> tuple[int, int]:
        """Columns and rows of charts on a page: as many as there are, as large as they fit."""
        count = max(1, len(self.names))
        most_columns = max(1, (width + GAP) // (LEAST_WIDTH + GAP))
        most_rows = max(1, height // LEAST_HEIGHT)
        columns = min(most_columns, max(-(-width // MOST_WIDTH), -(-count // most_rows)), count)
        if self.columns:
            columns = min(self.columns, most_columns)
        return columns, min(most_rows, -(-count // columns))

    def _cell(self, name: str, x: int, y: int, width: int, height: int) -> list[Line]:
        """A name, its value and its chart, all lines `width` cells."""
        look, charting = self.look, self.charting
        series = charting.series(name)
        chosen = name == charting.selected
        value = charting.read_out(name) if charting.place else charting.history.current(name)
        text = figure(value)
        odd = None if charting.place else charting.history.not_finite.get(name)
        if odd is not None and len(odd.words) + LEAST_NAME < width:
            text = odd.words
        words = ("▸ " if chosen else "") + label(name) + (" (log)" if name in charting.log else "")
        head: Line = [
            (
                fit(look.words(words), width - len(text) - 1),
                look.style("policy" if chosen else "dim", bold=chosen),
            ),
            (f" {text}", look.style("text" if odd is None else "error", bold=True)),
        ]
        blank: Line = [(" " * width, look.style("dim"))]
        room = height - 2
        if room < 1 or series.empty:
            return [head, *([blank] * (height - 1))]
        drawn = self.put_chart(name, x, y + 1, width, room)
        return [head, *(_padded(line, width, blank) for line in drawn), blank]


def _padded(line: Line, width: int, blank: Line) -> Line:
    used = sum(len(text) for text, _ in line)
    return [*line, (" " * (width - used), blank[0][1])] if used < width else line
