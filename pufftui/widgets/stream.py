"""The panels for an audience: figures of pixels, and one curve thick enough for a video."""

from __future__ import annotations

import math
from dataclasses import replace

from pufftui.appearance.banner import banner
from pufftui.appearance.format import NOTHING, figure
from pufftui.appearance.glyphs import BLOCKS
from pufftui.appearance.line import Line
from pufftui.appearance.theme import PuffTheme
from pufftui.charts.chart import chart
from pufftui.charts.charting import Charting
from pufftui.charts.metric_colours import colour_of
from pufftui.envs.descriptor import Descriptor
from pufftui.trainer.messages.snapshot import Snapshot
from pufftui.widgets.curves import LEAST_CHART, CurveCard
from pufftui.widgets.painted import Card

STROKE = 4
"""Dots that the curve is thick: a whole cell."""


class BigCard(Card):
    """One figure as large as it fits, and a line of words below it."""

    airy = 1000
    metric = "score"
    """The one whose colour it has."""

    def __init__(self, look: PuffTheme, name: str) -> None:
        super().__init__(look, name)
        self.snapshot: Snapshot | None = None

    def show(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.paint()

    def number(self) -> str:
        """The figure."""
        raise NotImplementedError

    def note(self, width: int) -> Line:
        """What stands below it."""
        raise NotImplementedError

    def content(self, width: int, height: int) -> list[Line]:
        look, text = self.look, self.number()
        known = text != NOTHING
        style = look.style(colour_of(self.metric), bold=True) if known else look.style("dim")
        large = banner(text, width, height - 1, look.glyphs) if known else []
        if not large:
            figures = look.glyphs.large(text)
            large = figures if height > 3 and len(figures[0]) <= width else [text]
        note = self.note(width)
        free = height - len(large) - 1
        # Where panels have no edge between them, the space is better used below.
        least = min(free, 1) if self.roomy else 0
        above: list[Line] = [[] for _ in range(max(least, (free - 1) // 2))]
        apart: list[Line] = [[]] if free >= 2 else []
        return [*above, *([(row, style)] for row in large), *apart, note]


class BigScore(BigCard):
    """The score, how far it can go, and the best one."""

    title = "score"

    def __init__(self, look: PuffTheme, descriptor: Descriptor) -> None:
        super().__init__(look, "big_score")
        self._limit = descriptor.score_high

    def number(self) -> str:
        return figure(self.snapshot.score if self.snapshot else None)

    def note(self, width: int) -> Line:
        look = self.look
        best = figure(self.snapshot.best_score if self.snapshot else None)
        return [
            ("of ", look.style("dim")),
            (figure(self._limit), look.style("text", bold=True)),
            ("   best ", look.style("dim")),
            (best, look.style("good", bold=True)),
        ]


class BigSpeed(BigCard):
    """Agent steps per second."""

    title = "speed"
    metric = "sps"

    def __init__(self, look: PuffTheme) -> None:
        super().__init__(look, "big_speed")

    def number(self) -> str:
        return figure(self.snapshot.steps_per_second if self.snapshot else None)

    def note(self, width: int) -> Line:
        return [("steps a second", self.look.style("dim"))]


class BigCurve(CurveCard):
    """The score over the run as one thick line; the keys for all charts count here, too."""

    title = "score so far"
    airy = 1000

    def __init__(self, look: PuffTheme, charting: Charting, descriptor: Descriptor) -> None:
        super().__init__(look, "big_curve", charting)
        low = descriptor.score_low
        self._start = low if math.isfinite(low) else None

    def detail(self) -> str:
        return self.read_out("score")

    def content(self, width: int, height: int) -> list[Line]:
        charting = self.charting
        if charting.series("score").empty:
            return self.say(self.waiting(), width, height)
        if height < LEAST_CHART:
            return []
        curve = charting.curve("score", self._start)
        curve = replace(curve, band=None, provisional=math.inf)
        view = charting.view
        lines = chart(self.look, curve, view, width, height, stroke=STROKE, points=False).lines
        return [[(BLOCKS(text), style) for text, style in line] for line in lines]
