"""Every core of the machine: its recent past as a small graph, or at least how busy it is now."""

from __future__ import annotations

from collections.abc import Sequence

from pufftui.appearance.format import percent
from pufftui.appearance.glyphs import RISING, levels
from pufftui.appearance.line import Line
from pufftui.appearance.theme import PuffTheme
from pufftui.widgets.meters import LABEL

WIDEST_CORE = 12
LEAST_PAST = 6
"""Seconds of the past, which are cells, below which a graph tells less than a bar."""

TALLEST = 3
"""Rows of one core's graph, where there are few cores and much room."""

BETWEEN = 2
PERCENT = 5


def core_graphs(
    look: PuffTheme, past: Sequence[Sequence[float]], width: int, most: int
) -> list[Line]:
    """A graph a core, of a cell a second, in at most `most` rows; none if they do not fit.

    `past` are shares of all cores at one time, the newest last. The graphs stand below each other as far as there
    is room, which makes them wide, and then beside each other.
    """
    count = len(past[-1]) if past else 0
    if not count or most < 1:
        return []
    columns = -(-count // most)
    rows = -(-count // columns)
    wide = (width + BETWEEN) // columns - BETWEEN
    label = len(str(count - 1)) + 1
    told = PERCENT + 1 if wide - label - PERCENT - 1 >= 2 * LEAST_PAST else 0
    cells = wide - label - told
    if cells < LEAST_PAST:
        return []
    tall = min(TALLEST, most // rows)
    lines: list[Line] = []
    for row in range(rows):
        block: list[Line] = [[] for _ in range(tall)]
        for core in range(row, count, rows):
            seconds = [shares[core] for shares in past[-cells:] if core < len(shares)]
            share = percent(past[-1][core], PERCENT) + " " if told else ""
            for line, (at, bars) in zip(block, enumerate(_bars(seconds, tall)), strict=True):
                lowest = at == tall - 1
                if line:
                    line.append((" " * BETWEEN, look.style("dim")))
                name = str(core).rjust(label - 1) + " "
                line += [
                    (name if lowest else " " * label, look.style("dim")),
                    ((share if lowest else "").rjust(told), look.style("text")),
                    (bars.rjust(cells), look.style("series0")),
                ]
        lines += block
    return lines


def _bars(shares: Sequence[float], height: int) -> list[str]:
    """Shares as bars of so many rows, the highest row first; nothing at all is a low bar.

    The highest bar leaves a little of its row, so that busy cores below each other stay apart.
    """
    eighths = len(RISING) - 1
    most = eighths * height - 1
    sizes = [max(1, round(share * most)) for share in shares]
    return [
        "".join(RISING[min(max(size - eighths * below, 0), eighths)] for size in sizes)
        for below in range(height - 1, -1, -1)
    ]


def cores(look: PuffTheme, shares: Sequence[float], width: int, most: int) -> list[Line]:
    """How busy every core is, as bars that stand beside each other in at most `most` rows.

    Where there are more cores than cells, each bar is the mean of a few neighbours.
    """
    room = width - LABEL
    if not shares or room < 1 or most < 1:
        return []
    rows = min(most, -(-len(shares) // room))
    per_bar = -(-len(shares) // (rows * room))
    bars = [
        sum(group) / len(group)
        for group in (shares[at : at + per_bar] for at in range(0, len(shares), per_bar))
    ]
    per_row = -(-len(bars) // rows)
    wide = (room + 1) // per_row - 1
    label = "cores" if per_bar == 1 else f"by {per_bar}"
    lines: list[Line] = []
    for row in range(rows):
        row_bars = levels(bars[row * per_row : (row + 1) * per_row])
        line: Line = [((label if row == 0 else "").ljust(LABEL), look.style("dim"))]
        if wide < 1:
            line.append((row_bars, look.style("series0", "track")))
        for letter in row_bars if wide >= 1 else "":
            gap = [(" ", look.style("dim"))] if len(line) > 1 else []
            line += [*gap, (letter * min(wide, WIDEST_CORE), look.style("series0", "track"))]
        lines.append(line)
    return lines
