"""The panels with curves: score, speed and what is learnt."""

from __future__ import annotations

import math
from dataclasses import dataclass

from textual import events
from textual.message import Message

from pufftui.appearance.format import figure, percent
from pufftui.appearance.line import Line
from pufftui.appearance.theme import PuffTheme
from pufftui.charts.chart import chart
from pufftui.charts.charting import Charting
from pufftui.charts.explain import short
from pufftui.charts.metric_colours import colour_of
from pufftui.charts.plot import sparkline, sparkline_span
from pufftui.envs.descriptor import Descriptor
from pufftui.trainer.messages.snapshot import LOSSES, Phase, Snapshot
from pufftui.widgets.painted import Card

LEAST_CHART = 5
"""Rows below which a chart says nothing."""

ORDER = (
    "entropy",
    "approx_kl",
    "explained_variance",
    "value_loss",
    "policy_loss",
    "clipfrac",
    "grad_norm",
    "learning_rate",
    "importance",
    "old_approx_kl",
)
"""From the most to the least telling, for panels that cannot show all."""


@dataclass(frozen=True, slots=True)
class Plot:
    """Where a chart was drawn last, in cells of its widget, and what it shows."""

    metric: str
    x: int
    y: int
    width: int
    height: int
    start: float
    end: float

    def place(self, x: int, y: int) -> float | None:
        """The place on the axis at a cell, None beside the chart."""
        if not (self.x <= x < self.x + self.width and self.y <= y < self.y + self.height):
            return None
        return self.start + (x - self.x + 0.5) / self.width * (self.end - self.start)


class CurveCard(Card):
    """A panel of charts that the pointer can read out, zoom and ask about."""

    class Pointed(Message):
        """The pointer is at a place of the x axis, or, with None, no longer."""

        def __init__(self, place: float | None) -> None:
            super().__init__()
            self.place = place

    class Zoomed(Message):
        """The wheel was turned at a place."""

        def __init__(self, place: float, *, closer: bool) -> None:
            super().__init__()
            self.place, self.closer = place, closer

    class Asked(Message):
        """A person wants to know what a metric means."""

        def __init__(self, metric: str) -> None:
            super().__init__()
            self.metric = metric

    def __init__(self, look: PuffTheme, name: str, charting: Charting) -> None:
        super().__init__(look, name)
        self.charting = charting
        self.snapshot: Snapshot | None = None
        self.plots: list[Plot] = []
        self.rows: dict[int, str] = {}
        """Lines of the widget that name a metric."""

    def show(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.paint()

    def paint(self) -> None:
        self.plots, self.rows = [], {}
        super().paint()

    @property
    def top(self) -> int:
        """Lines above the content."""
        return len(self.head(self.size.width - 2)) + (
            1 if self.roomy and self.airy <= self.size.height else 0
        )

    def put_chart(
        self,
        metric: str,
        x: int,
        y: int,
        width: int,
        height: int,
        base: float | None = None,
    ) -> list[Line]:
        """A chart at a place of the content, with axes if they fit, known to the pointer."""
        axes = height >= LEAST_CHART
        view = self.charting.view
        curve = self.charting.curve(metric, base)
        marks = self.charting.marks() if axes else ()
        drawn = chart(self.look, curve, view, width, height, marks=marks, axes=axes)
        left, top = 1 + x + drawn.margin, self.top + y
        self.plots.append(Plot(metric, left, top, width - drawn.margin, height, *view.span))
        return drawn.lines

    def waiting(self) -> str:
        """Why there is no curve yet."""
        snapshot = self.snapshot
        if snapshot is None or snapshot.phase is Phase.STARTING:
            return (snapshot.activity if snapshot else "") or "warming up"
        if snapshot.phase.ended:
            return "training ended before there was a score"
        return "first episodes still running"

    def read_out(self, metric: str) -> str:
        """The value at the cursor and where that is, for the title; empty without a cursor."""
        value = self.charting.read_out(metric)
        return f"{figure(value)} at {self.charting.place}" if self.charting.place else ""

    # The pointer.

    def _place(self, event: events.MouseEvent) -> float | None:
        places = (plot.place(event.x, event.y) for plot in self.plots)
        return next((place for place in places if place is not None), None)

    def _metric(self, event: events.MouseEvent) -> str | None:
        inside = (p.metric for p in self.plots if p.place(event.x, event.y) is not None)
        return next(inside, self.rows.get(event.y))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self.post_message(self.Pointed(self._place(event)))

    def on_leave(self) -> None:
        self.post_message(self.Pointed(None))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._zoom(event, closer=True)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._zoom(event, closer=False)

    def _zoom(self, event: events.MouseEvent, *, closer: bool) -> None:
        place = self._place(event)
        if place is not None:
            event.stop()
            self.post_message(self.Zoomed(place, closer=closer))

    def on_click(self, event: events.Click) -> None:
        metric = self._metric(event)
        if metric is not None:
            self.post_message(self.Asked(metric))


class ScoreCard(CurveCard):
    """The score in large digits above its curve with the band of its confidence interval."""

    title = "score"

    def __init__(self, look: PuffTheme, charting: Charting, descriptor: Descriptor) -> None:
        super().__init__(look, "score", charting)
        low, self._limit = descriptor.score_low, descriptor.score_high
        self._start = low if math.isfinite(low) else None

    def detail(self) -> str:
        episodes = self.snapshot.episodes if self.snapshot else 0
        count = f"{figure(episodes)} episodes" if episodes else ""
        if self.charting.view.earlier:
            count = f"{self.charting.earlier_count} earlier runs behind"
        return self.read_out("score") or count

    def _legend(self, width: int) -> Line:
        """What lies dim behind the curve, if anything, at the right."""
        label = self.look.words(self.charting.baseline_label)
        if not 0 < len(label) <= width:
            return []
        return [(label.rjust(width), self.look.style("dim"))]

    def content(self, width: int, height: int) -> list[Line]:
        head = self._figures(width) + ([self._legend(width)] if height > 14 else [])
        rest = height - len(head)
        if rest < LEAST_CHART:
            return head
        if self.charting.series("score").empty:
            return head + self.say(self.waiting(), width, rest)
        return head + self.put_chart("score", 0, len(head), width, rest, self._start)

    def _figures(self, width: int) -> list[Line]:
        look, snapshot = self.look, self.snapshot
        score = snapshot.score if snapshot else None
        digits = look.glyphs.large(figure(score))
        side = max(22, len(digits[0]) + 3) if width >= 42 else len(digits[0]) + 2
        facts = [
            ("of   ", figure(self._limit)),
            ("best ", figure(snapshot.best_score if snapshot else None)),
            ("perf ", percent(snapshot.perf if snapshot else None).strip()),
        ]
        colour = look.style("dim") if score is None else look.style("policy", bold=True)
        return [
            [(row.ljust(side), colour), (label, look.style("dim")), (value, look.style("text"))]
            for row, (label, value) in zip(digits, facts, strict=True)
        ]


class SpeedCard(CurveCard):
    """Agent steps per second, in large digits and over the whole run."""

    title = "speed"
    airy = 11

    def detail(self) -> str:
        snapshot = self.snapshot
        epoch = f"epoch {figure(snapshot.epoch)}" if snapshot and snapshot.epoch else ""
        return self.read_out("sps") or epoch

    def content(self, width: int, height: int) -> list[Line]:
        look = self.look
        speed = self.snapshot.steps_per_second if self.snapshot else None
        text = figure(speed)
        number, suffix = text.rstrip("kMBTPE"), text[len(text.rstrip("kMBTPE")) :]
        digits = look.glyphs.large(number)
        unit = ["", "", f" {suffix} steps/s".replace("  ", " ") if speed is not None else ""]
        colour = look.style("dim") if speed is None else look.style(colour_of("sps"), bold=True)
        head: list[Line] = [
            [(row, colour), (word, look.style("dim"))]
            for row, word in zip(digits, unit, strict=True)
        ]
        rest = height - len(head)
        if rest < 2 or self.charting.series("sps").empty:
            return head
        if rest > LEAST_CHART:
            head, rest = [*head, []], rest - 1
        return head + self.put_chart("sps", 0, len(head), width, rest, 0.0)


class LearningCard(CurveCard):
    """Every figure of the last update as a number and as a small curve."""

    title = "learning"

    def detail(self) -> str:
        snapshot = self.snapshot
        if self.charting.place:
            return f"at {self.charting.place}"
        return (
            f"{figure(snapshot.parameters)} parameters" if snapshot and snapshot.parameters else ""
        )

    def content(self, width: int, height: int) -> list[Line]:
        tall = max(1, min(4, (height + 1) // len(ORDER)))
        shown = set(ORDER[: (height + tall - 1) // tall])
        names = [name for name in (*LOSSES, "learning_rate") if name in shown]
        lines: list[Line] = []
        skipped = tall - 1 if len(names) * tall > height else 0
        for name in names:
            y = self.top + len(lines) - skipped
            self.rows |= dict.fromkeys(range(y, y + tall), name)
            lines += self._row(name, width, tall, y)
        return lines[skipped:]

    def _row(self, name: str, width: int, tall: int, y: int) -> list[Line]:
        look, charting = self.look, self.charting
        value = charting.read_out(name) if charting.place else self._newest(name)
        words, number = short(name).ljust(15), figure(value, 6)
        plot = width - len(words) - len(number) - 2
        style = look.style("policy" if charting.place else "text")
        chosen = name == charting.selected
        head: Line = [
            (words, look.style("policy" if chosen else "dim", bold=chosen)),
            (number + "  ", style),
        ]
        blank: Line = [(" " * (len(words) + len(number) + 2), look.style("dim"))]
        starts = [blank] * (tall - 1) + [head]
        if plot <= 3:
            return starts
        series = charting.series(name)
        span = sparkline_span(series, charting.view)
        self.plots.append(Plot(name, 1 + width - plot, y, plot, tall, *span))
        rows = sparkline(look, series, colour_of(name), charting.view, plot, tall)
        return [[*start, *row] for start, row in zip(starts, rows, strict=True)]

    def _newest(self, name: str) -> float | None:
        snapshot = self.snapshot
        if snapshot is None:
            return None
        return snapshot.learning_rate if name == "learning_rate" else snapshot.losses.get(name)
