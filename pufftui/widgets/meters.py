"""What the machine's panel is made of: a share as a bar, a fact, the recent past as a curve."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pufftui.appearance.format import percent
from pufftui.appearance.glyphs import thin_bar
from pufftui.appearance.line import Line
from pufftui.appearance.theme import PuffTheme
from pufftui.charts.plot import profile

LABEL = 6
"""Columns of the labels at the left."""

LEAST_NOTED = 5
"""Columns that a note must leave the bar beside it."""

FULL = 0.95
"""Share of something that can run out from which that is a warning."""


def meter(
    look: PuffTheme,
    name: str,
    share: float | None,
    note: str,
    width: int,
    colour: str,
    *,
    full: bool = False,
) -> Line:
    """A share as percent and as a bar. `full` is for what can run out, which is then a warning."""
    room = width - LABEL - 6
    note = f" {note}" if note and room - len(note) > LEAST_NOTED else ""
    bar = max(4, room - len(note))
    # What is not known has no bar: an empty one would say that nothing is used.
    filled, empty = ("", " " * bar) if share is None else thin_bar(share, bar)
    colour = "warning" if full and (share or 0.0) > FULL else colour
    return [
        (name.ljust(LABEL - 1), look.style("dim")),
        (percent(share, 5) + "  ", look.style("text")),
        (filled, look.style(colour)),
        (empty, look.style("track")),
        (note, look.style("dim")),
    ]


def fact(look: PuffTheme, name: str, text: str, width: int, colour: str = "text") -> Line:
    """Words after a label: of those between commas as many as fit, but at least the first."""
    words = look.words(text).split(", ")
    while len(words) > 1 and len(", ".join(words)) > width - LABEL:
        words.pop()
    shown = ", ".join(words)[: max(0, width - LABEL)]
    return [(name.ljust(LABEL), look.style("dim")), (shown, look.style(colour))]


def graph(
    look: PuffTheme, shares: Sequence[float], colour: str, width: int, height: int
) -> list[Line]:
    """Shares of the recent past as a curve, the newest at the right."""
    values = np.full(2 * width, np.nan)
    recent = shares[-2 * width :]
    values[2 * width - len(recent) :] = recent
    return profile(look, values, colour, height, 0.0, 1.0)
