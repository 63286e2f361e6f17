"""The game itself: two pixels in every cell, runs of equal cells merged, only changed rows sent."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

from pufftui.direct import write_rows
from pufftui.envs.descriptor import Descriptor
from pufftui.format import steps
from pufftui.plot import Line
from pufftui.theme import PuffTheme
from pufftui.trainer.frame import ArenaFrame
from pufftui.widgets.painted import Card

MOST_STYLES = 20_000
"""Pairs of colours remembered; a picture of noise would need more and starts again."""


class GameCard(Card):
    """Shows frames of the arena as large as they fit, undistorted and in the middle."""

    title = "arena"
    airy = 10_000
    absent = "the game begins in a moment"
    """What is said while there is no game."""

    def __init__(self, look: PuffTheme, descriptor: Descriptor) -> None:
        super().__init__(look, "game")
        self._aspect = descriptor.picture_aspect
        self._agents = descriptor.agents
        self._styles: dict[int, Style] = {}
        self._width = 0
        self._shown: NDArray[np.uint8] | None = None
        self.frame: ArenaFrame | None = None
        self.picture = Region(0, 0, 0, 0)
        """Where the picture lies, in cells; two pixels above each other are one cell."""

    def _place(self) -> Region:
        width = self.size.width - 2
        top = 2 if self.roomy else 1
        rows = self.size.height - top
        if width <= 0 or rows <= 0:
            return Region(0, 0, 0, 0)
        fitted = max(1, min(width, int(rows * 2 * self._aspect)))
        height = max(1, min(rows, round(fitted / self._aspect / 2)))
        return Region(1 + (width - fitted) // 2, top + (rows - height) // 2, fitted, height)

    def show(self, frame: ArenaFrame) -> None:
        """Paints what differs from the frame before."""
        old, self.frame = self.frame, frame
        if old is None or _caption(old) != _caption(frame):
            self.title = "you play" if frame.human else "arena"
            self.accent = "human" if frame.human else "text"
            self._paint_head()
        region = self.picture
        if not region.area or not frame.pixels.size or region.bottom > len(self._strips):
            return
        pixels = fitted(frame.pixels, region.width, region.height * 2)
        shown, self._shown = self._shown, pixels
        if shown is None or shown.shape != pixels.shape:
            changed = list(range(region.height))
        else:
            differs = (shown != pixels).reshape(region.height, -1).any(axis=1)
            changed = np.flatnonzero(differs).tolist()
        if changed:
            shown = blended(pixels) if self.look.glyphs.ascii_only else pixels
            for row, colours in zip(changed, packed(shown, changed), strict=True):
                self._strips[region.y + row] = self._row(colours, region)
            rows = {region.y + row: self._strips[region.y + row] for row in changed}
            if not write_rows(self, rows):
                self.refresh(*_stretches(changed, region))

    def paint(self) -> None:
        """Draws everything again."""
        self._shown = None
        self.picture = self._place()
        self._width = self.size.width
        super().paint()
        if self.frame is not None:
            self.show(self.frame)

    def detail(self) -> str:
        frame = self.frame
        if frame is None:
            return ""
        parts = [f"agent {frame.agent + 1} of {frame.agents}"]
        if frame.waiting_for_key:
            parts.append("your move")
        elif frame.policy_step is not None and not frame.human:
            parts.append(f"policy of step {steps(frame.policy_step)}")
        if frame.paused:
            parts.append("‖ paused")
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
        if width and len(self._strips) == height:
            lines = super().lines(width, 2)
            for y, line in enumerate(lines[: 2 if self.roomy else 1]):
                self._strips[y] = self.strip(line, width)
            self.refresh(Region(0, 0, width, 2 if self.roomy else 1))

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


def fitted(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """A picture of another size, from before a resize, stretched to this one."""
    if pixels.shape[:2] == (height, width):
        return pixels
    across = np.arange(width) * pixels.shape[1] // width
    down = np.arange(height) * pixels.shape[0] // height
    stretched: NDArray[np.uint8] = pixels[down][:, across]
    return stretched


def blended(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Both pixels of every cell in their mean colour, for terminals without half blocks."""
    height, width, _ = pixels.shape
    means = pixels.reshape(height // 2, 2, width, 3).mean(axis=1)
    both: NDArray[np.uint8] = means.astype(np.uint8).repeat(2, axis=0)
    return both


def packed(pixels: NDArray[np.uint8], rows: list[int]) -> NDArray[np.int64]:
    """Upper and lower colour of every cell in these rows, in one number: (len(rows), width)."""
    height, width, _ = pixels.shape
    wide = pixels.reshape(height // 2, 2, width, 3)[rows].astype(np.int64)
    colours = wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]
    cells: NDArray[np.int64] = colours[:, 0] << 24 | colours[:, 1]
    return cells


def _stretches(rows: list[int], region: Region) -> list[Region]:
    """Neighbouring rows of a picture as one region each."""
    stretches: list[Region] = []
    start = last = None
    for row in rows:
        if last is not None and row == last + 1:
            last = row
            continue
        if start is not None and last is not None:
            stretches.append(Region(region.x, region.y + start, region.width, last - start + 1))
        start = last = row
    if start is not None and last is not None:
        stretches.append(Region(region.x, region.y + start, region.width, last - start + 1))
    return stretches


def _caption(frame: ArenaFrame) -> tuple[object, ...]:
    return (
        frame.agent,
        frame.agents,
        frame.human,
        frame.paused,
        frame.waiting_for_key,
        frame.speed,
        steps(frame.policy_step or 0),
    )
