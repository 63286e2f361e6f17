"""The ground all panels stand on: lines of text kept as strips, repainted only where they differ."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from itertools import zip_longest
from typing import Self

from rich.segment import Segment
from textual.color import Color
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from pufftui.appearance.format import cells, cut
from pufftui.appearance.line import Line
from pufftui.appearance.theme import PuffTheme
from pufftui.terminal.direct import place_of, rendered, write_at_once
from pufftui.terminal.paced import is_out_of_sight

GREY = Color(128, 128, 128)

LEAST_INNER = 16
"""Cells within the padding below which a card shows its title alone: no layout makes one so narrow,
but a window may be on its way to another size."""


class Painted(Widget):
    """A widget that draws itself as lines of text.

    Subclasses implement `lines`; whoever changes what they show calls `paint`.
    """

    ground = "surface"
    """Name of the theme's colour behind the widget."""

    roomy = True
    """Whether there is space for an edge; set by the layout."""

    def __init__(self, look: PuffTheme, name: str) -> None:
        super().__init__(id=name)
        self.look = look
        self._strips: list[Strip] = []
        self._drawn_for = Size(0, 0)
        """The size that the strips were made for; the panel's own may already be another one."""

    def lines(self, width: int, height: int) -> list[Line]:
        """At most `height` lines, each at most `width` cells."""
        raise NotImplementedError

    def paint(self) -> None:
        """Draws the lines again and refreshes those that changed."""
        width, height = self._drawn_for = self.size
        if width and height:
            self.put([self.strip(line, width) for line in self.lines(width, height)])
        else:
            self._strips = []

    def strip(self, line: Line, width: int) -> Strip:
        """A line as it goes to the screen: `width` cells, and nothing that must not be seen."""
        segments = [Segment(text, style) for text, style in self.look.line(line) if text]
        used = sum(cells(segment.text) for segment in segments)
        if used < width:
            blank = self.look.style("text", self.ground)
            segments.append(Segment(" " * (width - used), blank))
        strip = Strip(segments, max(used, width))
        return strip if used <= width else strip.crop(0, width)

    def put(self, strips: list[Strip]) -> None:
        """Takes over new strips, row by row, and shows the rows that differ."""
        changed: list[int] = []
        kept: list[Strip] = []
        for y, (old, new) in enumerate(zip_longest(self._strips, strips)):
            if new is not None:
                kept.append(old if old == new else new)
            if old != new:
                changed.append(y)
        self._strips = kept
        if changed:
            self.show_rows(changed)

    def show_rows(self, rows: Iterable[int]) -> None:
        """Shows these rows: at once where nothing can lie over them, else by Textual's compositor.

        Rows below the panel's edge, which it had when it was larger, belong to nobody.
        """
        place = self.place()
        if place is None or place.height > len(self._strips):
            width, height = self.size
            self.refresh(*[Region(0, y, width, 1) for y in rows if y < height])
        else:
            shown = [(y, self._strips[y]) for y in rows if y < place.height]
            parts = [rendered(self.app, strip, place.x, place.y + y) for y, strip in shown]
            write_at_once(self.app, parts)

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        """Shows the widget, or parts of it, which may wait where nobody would see them.

        When the dialog above is closed, Textual asks for all of it.
        """
        if regions and is_out_of_sight(self):
            return self
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def place(self) -> Region | None:
        """Where on the screen the strips may be written to at once, if anywhere.

        Between a new layout and the message that tells of it, they still have the size of before.
        """
        place = place_of(self)
        return place if place is not None and place.size == self._drawn_for else None

    def dress(self, look: PuffTheme) -> None:
        """Changes to another theme."""
        self.look = look
        self._strips = []
        self.paint()
        self.refresh()

    def on_resize(self) -> None:
        self._strips = []
        self.paint()
        self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The strips themselves; Textual's own way asks the stylesheet about every line again."""
        strips = self._strips[crop.y : crop.bottom]
        if self._drawn_for.width != self.size.width:
            ground = self.look.style("text", self.ground)
            strips = [strip.adjust_cell_length(self.size.width, ground) for strip in strips]
        if len(strips) < crop.height:
            blank = Strip.blank(self.size.width, self.look.style("text", self.ground))
            strips = strips + [blank] * (crop.height - len(strips))
        if crop.x or crop.right != self.size.width:
            strips = [strip.crop(crop.x, crop.right) for strip in strips]
        if self.app.no_color:
            for line_filter in self.get_line_filters():
                strips = [strip.apply_filter(line_filter, GREY) for strip in strips]
        return strips


SEPARATOR = " · "
"""Between the parts of a detail."""


class Card(Painted):
    """A panel with a title, half a row of air above it and one cell of it at both sides."""

    title = ""
    accent = "text"
    """Name of the colour of the title."""

    airy = 16
    """Height from which an empty line follows the title."""

    trouble = ""
    """Why there is nothing to show, where that is known."""

    def explain(self, trouble: str) -> None:
        """Says this where there is nothing to show; nothing for what is said there otherwise."""
        self.trouble = trouble
        self.paint()

    def detail(self) -> str:
        """What stands at the right of the title, dimmed."""
        return ""

    def badge(self) -> str:
        """What stands beside the title and must not be overlooked."""
        return ""

    def content(self, width: int, height: int) -> list[Line]:
        """The lines below the title, within the padding."""
        raise NotImplementedError

    def lines(self, width: int, height: int) -> list[Line]:
        inner = width - 2
        head = self.head(inner)
        if self.roomy and self.airy <= height:
            head.append([])
        room = height - len(head)
        body = self.content(inner, room) if room > 0 and inner >= LEAST_INNER else []
        space = (" ", self.look.style("text", self.ground))
        return (
            head[:1] + [[space, *line] for line in head[1:] + body[:room]]
            if self.roomy
            else [[space, *line] for line in head + body[:room]]
        )

    def head(self, inner: int) -> list[Line]:
        """The edge, where there is room for one, and the title."""
        look, badge = self.look, self.badge()
        used = cells(self.title) + cells(badge)
        room = max(0, inner - used - 2)
        detail = that_fits(look.words(self.detail()), room, look.words(SEPARATOR))
        fill = " " * (inner - used - cells(detail))
        title = [
            (self.title, look.style(self.accent, bold=True)),
            (badge, look.style("error", bold=True)),
            (fill + detail, look.style("dim")),
        ]
        # Half a row of air; where there are no half blocks, a row of it.
        edge = ("▄" * (inner + 2), look.style(self.edge_colour(), "background"))
        if look.glyphs.ascii_only:
            ground = "background" if self.edge_colour() == self.ground else self.edge_colour()
            edge = (" " * (inner + 2), look.style("text", ground))
        return [[edge], title] if self.roomy else [title]

    def edge_colour(self) -> str:
        """Name of the colour of the upper edge."""
        return self.ground

    def say(self, text: str, width: int, height: int) -> list[Line]:
        """A quiet sentence or two in the middle, for a panel that has nothing to show."""
        lines = textwrap.wrap(self.look.words(text), max(1, width))[: max(1, height)]
        above: list[Line] = [[] for _ in range(max(0, (height - len(lines)) // 2))]
        return [*above, *([(line.center(width), self.look.style("dim"))] for line in lines)]


def that_fits(detail: str, room: int, separator: str = SEPARATOR) -> str:
    """As many of its parts as fit whole, from the first on; the first is cut if even that does not."""
    parts = detail.split(separator)
    while len(parts) > 1 and cells(separator.join(parts)) > room:
        parts.pop()
    kept = separator.join(parts)
    return kept if cells(kept) <= room else cut(kept, room)


class Bar(Painted):
    """One full line on raised ground: header, footer, status."""

    ground = "raised"
