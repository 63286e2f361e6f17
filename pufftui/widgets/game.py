"""The game itself: two pixels in every cell, runs of equal cells merged, only changed rows sent."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from pufftui.appearance.format import steps
from pufftui.appearance.line import Line
from pufftui.appearance.palette import channels
from pufftui.appearance.theme import PuffTheme
from pufftui.envs.descriptor import Descriptor
from pufftui.terminal.direct import rendered, write_at_once
from pufftui.terminal.encoder import changes
from pufftui.terminal.paced import moves_at
from pufftui.terminal.pictures import blended, packed, places, stretches
from pufftui.trainer.messages.frame import ArenaFrame
from pufftui.widgets.captions import captions
from pufftui.widgets.painted import SEPARATOR, Card

MOST_STYLES = 20_000
"""Pairs of colours remembered; a picture of noise would need more and starts again."""


class GameCard(Card):
    """Shows frames of the arena as large as they fit, undistorted and in the middle.

    A rival's game lies beside or below the first, each with a line of its own above it.
    """

    title = "arena"
    airy = 10_000
    absent = "the game begins in a moment"
    """What is said while there is no game."""

    class Pointed(Message):
        """The person clicked on the game, at a place from 0 to 1 across and down."""

        def __init__(self, x: float, y: float) -> None:
            super().__init__()
            self.x, self.y = x, y

    class Placed(Message):
        """The game has another size, and so needs another picture."""

    def __init__(self, look: PuffTheme, descriptor: Descriptor) -> None:
        super().__init__(look, "game")
        self._descriptor = descriptor
        self._styles: dict[int, Style] = {}
        self._width = 0
        self._head: list[Line] = []
        self._shown: dict[Region, NDArray[np.uint8]] = {}
        self._turn = 0  # counts what was written, for the encoder
        self._stale: set[int] = set()  # rows of the picture whose strips are older than it
        self.frame: ArenaFrame | None = None
        self._places = places(Region(0, 0, 0, 0), descriptor.picture_aspect, 1)

    @property
    def picture(self) -> Region:
        """Where the picture lies, in cells; two pixels above each other are one cell."""
        return self._places.pictures[0]

    @property
    def pixels(self) -> tuple[int, int]:
        """Columns and rows of the picture's pixels."""
        return self.picture.width, self.picture.height * 2

    def show(self, frame: ArenaFrame) -> None:
        """Paints what differs from the frame before."""
        old, self.frame = self.frame, frame
        other = old is None or (old.rival is None) != (frame.rival is None)
        if other or self.size != self._drawn_for:
            self.paint()
            return
        if self.head(self._width) != self._head:
            self._paint_head()
        self._paint_pictures(frame)

    def paint(self) -> None:
        """Draws everything again."""
        self._shown.clear()
        self._width, top = self.size.width, 2 if self.roomy else 1
        area = Region(1, top, max(0, self.size.width - 2), max(0, self.size.height - top))
        rivals = self.frame is not None and self.frame.rival is not None
        descriptor = self._descriptor
        self._places = places(
            area,
            descriptor.picture_aspect,
            2 if rivals else 1,
            descriptor.picture_columns,
            any_shape=descriptor.fills_any_shape,
        )
        super().paint()
        if self.frame is not None:
            self._paint_pictures(self.frame)

    def _paint_pictures(self, frame: ArenaFrame) -> None:
        if not self.picture.area or self._places.bottom > len(self._strips):
            return
        pictures = [frame.pixels] if frame.rival is None else [frame.pixels, frame.rival.pixels]
        if not all(pixels.size for pixels in pictures):
            return
        moves_at(self.app, self._places.whole.translate(self.region.offset))
        captions = self._captions(frame)
        for y, strip in captions.items():
            self._strips[y] = strip
        gap = channels(self.look.colours["surface"])
        blocks = dict(zip(self._places.blocks, self._places.joined(pictures, gap), strict=True))
        if (written := self._write(blocks, captions)) is not None:
            blocks = written
        else:
            regions = [Region(0, y, self._width, 1) for y in captions]
            for block, pixels in blocks.items():
                regions += stretches(self._changed(block, pixels), block)
            if regions:
                self.refresh(*regions)
        self._shown |= blocks
        self._stale.update(y for block in blocks for y in range(block.y, block.bottom))

    def _write(
        self, blocks: dict[Region, NDArray[np.uint8]], captions: dict[int, Strip]
    ) -> dict[Region, NDArray[np.uint8]] | None:
        """Writes to the terminal at once, past the compositor; None if that would not be right.

        Returns what the terminal then shows in each block: nobody can tell it from the picture.
        """
        place, look = self.place(), self.look
        if place is None or look.quantise is not None or look.glyphs.ascii_only:
            return None
        parts = [rendered(self.app, strip, place.x, place.y + y) for y, strip in captions.items()]
        shown: dict[Region, NDArray[np.uint8]] = {}
        for block, pixels in blocks.items():
            text, shown[block] = changes(
                self._shown.get(block), pixels, place.x + block.x, place.y + block.y, self._turn
            )
            parts.append(text)
        self._turn += 1
        write_at_once(self.app, parts)
        return shown

    def render_lines(self, crop: Region) -> list[Strip]:
        """As every panel's, with the rows of the picture made only now that somebody asks."""
        for block, pixels in self._shown.items():
            wanted = range(max(block.y, crop.y), min(block.bottom, crop.bottom, len(self._strips)))
            stale = [y - block.y for y in wanted if y in self._stale]
            if stale:
                shown = blended(pixels) if self.look.glyphs.ascii_only else pixels
                for row, colours in zip(stale, packed(shown, stale), strict=True):
                    self._strips[block.y + row] = self._row(colours, block)
                self._stale.difference_update(block.y + row for row in stale)
        return super().render_lines(crop)

    def _changed(self, block: Region, pixels: NDArray[np.uint8]) -> list[int]:
        """Rows of cells that differ from what was shown there before."""
        shown = self._shown.get(block)
        if shown is None or shown.shape != pixels.shape:
            return list(range(block.height))
        differs = (shown != pixels).reshape(block.height, -1).any(axis=1)
        found: list[int] = np.flatnonzero(differs).tolist()
        return found

    def _captions(self, frame: ArenaFrame) -> dict[int, Strip]:
        """Rows above two pictures that differ from what was shown there before."""
        if frame.rival is None:
            return {}
        lines: dict[int, Line] = {}
        told = captions(frame, frame.rival, self._places, self.look)
        for region, caption in zip(self._places.pictures, told, strict=True):
            line = lines.setdefault(region.y - 1, [])
            used = sum(len(text) for text, _ in line)
            line += [(" " * (region.x - used), self.look.style("text")), *caption]
        strips = {y: self.strip(line, self._width) for y, line in lines.items()}
        return {y: strip for y, strip in strips.items() if strip != self._strips[y]}

    def on_resize(self) -> None:
        self.post_message(self.Placed())

    def on_click(self, event: events.Click) -> None:
        region = self.picture
        if region.contains(event.x, event.y) and self.frame is not None:
            x = (event.x - region.x + 0.5) / region.width
            y = (event.y - region.y + 0.5) / region.height
            self.post_message(self.Pointed(x, y))

    def head(self, inner: int) -> list[Line]:
        frame = self.frame
        playing = frame is not None and frame.human
        self.title, self.accent = ("you play", "human") if playing else ("arena", "text")
        return super().head(inner)

    def badge(self) -> str:
        recorded = None if self.frame is None else self.frame.recording
        if recorded is None:
            return ""
        return f"  ● REC {int(recorded / self._descriptor.steps_per_second)} s"

    def detail(self) -> str:
        frame = self.frame
        if frame is None:
            return ""
        parts = [f"agent {frame.agent + 1} of {frame.agents}"]
        if frame.follow.value:
            parts[0] += f", {frame.follow.value}"
        parts += _time(frame)  # What lacks room goes from the end.
        views = self._descriptor.views
        if len(views) > 1:
            parts.append(f"backspace: {views[(frame.view + 1) % len(views)]}")
        if frame.waiting_for_key and not frame.expecting:
            parts.append("your move")
        elif frame.policy_step is not None and not frame.human:
            parts.append(f"policy of step {steps(frame.policy_step)}")
        parts.append(f"{frame.speed:g}x")
        return SEPARATOR.join(parts)

    def edge_colour(self) -> str:
        return "human" if self.frame is not None and self.frame.human else self.ground

    def content(self, width: int, height: int) -> list[Line]:
        if self.frame is None:
            waiting = self.say(self.absent, width, height)
            return waiting + [[] for _ in range(height - len(waiting))]
        return [[] for _ in range(height)]

    def _paint_head(self) -> None:
        width, height = self.size
        self._head = self.head(self._width)
        if width and len(self._strips) == height:
            rows = min(2 if self.roomy else 1, height)
            for y, line in enumerate(super().lines(width, 2)[:rows]):
                self._strips[y] = self.strip(line, width)
            self.show_rows(range(rows))

    def _row(self, colours: NDArray[np.int64], region: Region) -> Strip:
        blank = self.look.style("text")
        borders = np.flatnonzero(colours[1:] != colours[:-1]) + 1
        edges = [0, *borders.tolist(), region.width]
        segments = [Segment(" " * region.x, blank)]
        styles = self._styles
        values = colours[edges[:-1]].tolist()
        for start, end, value in zip(edges, edges[1:], values, strict=False):
            style = styles.get(value)
            if style is None:
                style = self._style(value)
            letter = " " if value >> 24 == value & 0xFFFFFF else "▀"
            segments.append(Segment(letter * (end - start), style))
        right = self._width - region.x - region.width
        segments.append(Segment(" " * right, blank))
        return Strip(segments, self._width)

    def _style(self, value: int) -> Style:
        if len(self._styles) >= MOST_STYLES:
            self._styles.clear()
        upper, lower = value >> 24, value & 0xFFFFFF
        style = Style.from_color(self._colour(upper), self._colour(lower))
        self._styles[value] = style
        return style

    def _colour(self, value: int) -> Color:
        quantise = self.look.quantise
        if quantise is not None:
            return Color.parse(quantise(f"#{value:06x}"))
        return Color.from_rgb(value >> 16, value >> 8 & 0xFF, value & 0xFF)


def _time(frame: ArenaFrame) -> list[str]:
    """Whether time stands still, and how far back it is or can be gone."""
    if frame.behind:
        return [f"◀ {frame.behind:.1f} s back", f"{frame.reach:.0f} s more"]
    return [f"‖ paused, {frame.reach:.0f} s to go back"] if frame.paused else []
