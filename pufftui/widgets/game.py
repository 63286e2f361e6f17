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

from pufftui.direct import write_rows
from pufftui.envs.descriptor import Descriptor
from pufftui.format import steps
from pufftui.pictures import blended, packed, places, stretches
from pufftui.plot import Line
from pufftui.theme import PuffTheme, channels
from pufftui.trainer.frame import ArenaFrame
from pufftui.widgets.captions import captions
from pufftui.widgets.painted import Card

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

    def __init__(self, look: PuffTheme, descriptor: Descriptor) -> None:
        super().__init__(look, "game")
        self._descriptor = descriptor
        self._styles: dict[int, Style] = {}
        self._width = 0
        self._head: list[Line] = []
        self._shown: dict[Region, NDArray[np.uint8]] = {}
        self.frame: ArenaFrame | None = None
        self._places = places(Region(0, 0, 0, 0), descriptor.picture_aspect, 1)

    @property
    def picture(self) -> Region:
        """Where the picture lies, in cells; two pixels above each other are one cell."""
        return self._places.pictures[0]

    def show(self, frame: ArenaFrame) -> None:
        """Paints what differs from the frame before."""
        old, self.frame = self.frame, frame
        if old is None or (old.rival is None) != (frame.rival is None):
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
        self._places = places(area, self._descriptor.picture_aspect, 2 if rivals else 1)
        super().paint()
        if self.frame is not None:
            self._paint_pictures(self.frame)

    def _paint_pictures(self, frame: ArenaFrame) -> None:
        if not self.picture.area or self._places.bottom > len(self._strips):
            return
        pictures = [frame.pixels] if frame.rival is None else [frame.pixels, frame.rival.pixels]
        if not all(pixels.size for pixels in pictures):
            return
        rows = self._captions(frame)
        regions = [Region(0, y, self._width, 1) for y in rows]
        gap = channels(self.look.colours["surface"])
        joined = self._places.joined(pictures, gap)
        for block, pixels in zip(self._places.blocks, joined, strict=True):
            changed = self._changed(block, pixels)
            shown = blended(pixels) if self.look.glyphs.ascii_only and changed else pixels
            for row, colours in zip(changed, packed(shown, changed), strict=True):
                rows[block.y + row] = self._row(colours, block)
            regions += stretches(changed, block)
        for y, strip in rows.items():
            self._strips[y] = strip
        if rows and not write_rows(self, rows):
            self.refresh(*regions)

    def _changed(self, block: Region, pixels: NDArray[np.uint8]) -> list[int]:
        """Rows of cells that differ from what was shown there before."""
        shown = self._shown.get(block)
        self._shown[block] = pixels
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
        if frame.waiting_for_key:
            parts.append("your move")
        elif frame.policy_step is not None and not frame.human:
            parts.append(f"policy of step {steps(frame.policy_step)}")
        parts += _time(frame)
        parts.append(f"{frame.speed:g}x")
        return " · ".join(parts)

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
            rows = 2 if self.roomy else 1
            for y, line in enumerate(super().lines(width, 2)[:rows]):
                self._strips[y] = self.strip(line, width)
            self.refresh(Region(0, 0, width, rows))

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
