"""The panels with curves: score, speed and what is learnt."""

from __future__ import annotations

import math

from pufftui.envs.descriptor import Descriptor
from pufftui.format import figure, percent
from pufftui.history import History
from pufftui.plot import Line, chart, sparkline
from pufftui.theme import PuffTheme
from pufftui.trainer.snapshot import LOSSES, Phase, Snapshot
from pufftui.widgets.painted import Card

LEAST_CHART = 5
"""Rows below which a chart says nothing."""

WORDS = {
    "policy_loss": "policy loss",
    "value_loss": "value loss",
    "entropy": "entropy",
    "old_approx_kl": "KL, first form",
    "approx_kl": "KL divergence",
    "clipfrac": "share clipped",
    "importance": "importance",
    "explained_variance": "explained",
    "grad_norm": "gradient norm",
    "learning_rate": "learning rate",
}
"""The learning figures in words."""

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


class CurveCard(Card):
    """A panel fed with the history and the latest snapshot."""

    def __init__(self, look: PuffTheme, name: str, history: History) -> None:
        super().__init__(look, name)
        self.history = history
        self.snapshot: Snapshot | None = None

    def show(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.paint()

    def waiting(self) -> str:
        """Why there is no curve yet."""
        snapshot = self.snapshot
        if snapshot is None or snapshot.phase is Phase.STARTING:
            return (snapshot.activity if snapshot else "") or "warming up"
        if snapshot.phase.ended:
            return "training ended before there was a score"
        return "first episodes still running"


class ScoreCard(CurveCard):
    """The score in large digits above its curve with the band of its confidence interval."""

    title = "score"

    def __init__(self, look: PuffTheme, history: History, descriptor: Descriptor) -> None:
        super().__init__(look, "score", history)
        low, self._limit = descriptor.score_low, descriptor.score_high
        self._start = low if math.isfinite(low) else None

    def detail(self) -> str:
        episodes = self.snapshot.episodes if self.snapshot else 0
        return f"{figure(episodes)} episodes" if episodes else ""

    def content(self, width: int, height: int) -> list[Line]:
        head = self._figures(width) + ([[]] if height > 14 else [])
        rest = height - len(head)
        if rest < LEAST_CHART:
            return head
        return head + self._chart(width, rest)

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
        colour = look.style("policy", bold=True)
        return [
            [(row.ljust(side), colour), (label, look.style("dim")), (value, look.style("text"))]
            for row, (label, value) in zip(digits, facts, strict=True)
        ]

    def _chart(self, width: int, height: int) -> list[Line]:
        history = self.history
        score = history.series("score")
        if score.empty:
            return self.say(self.waiting(), width, height)
        band = history.series("score_low"), history.series("score_high")
        return chart(self.look, score, "policy", width, height, band=band, base=self._start)


class SpeedCard(CurveCard):
    """Agent steps per second, in large digits and over the whole run."""

    title = "speed"
    airy = 11

    def detail(self) -> str:
        snapshot = self.snapshot
        return f"epoch {figure(snapshot.epoch)}" if snapshot and snapshot.epoch else ""

    def content(self, width: int, height: int) -> list[Line]:
        look = self.look
        text = figure(self.snapshot.steps_per_second if self.snapshot else None)
        number, suffix = text.rstrip("kMBTPE"), text[len(text.rstrip("kMBTPE")) :]
        digits = look.glyphs.large(number)
        unit = ["", "", f" {suffix} steps/s".replace("  ", " ")]
        colour = look.style("series2", bold=True)
        head: list[Line] = [
            [(row, colour), (word, look.style("dim"))]
            for row, word in zip(digits, unit, strict=True)
        ]
        series = self.history.series("sps")
        rest = height - len(head)
        if rest < 2 or series.empty:
            return head
        if rest > LEAST_CHART:
            head, rest = [*head, []], rest - 1
        axes = rest >= LEAST_CHART
        return [*head, *chart(look, series, "series2", width, rest, base=0.0, axes=axes)]


class LearningCard(CurveCard):
    """Every figure of the last update as a number and as a small curve."""

    title = "learning"

    def detail(self) -> str:
        snapshot = self.snapshot
        return (
            f"{figure(snapshot.parameters)} parameters" if snapshot and snapshot.parameters else ""
        )

    def content(self, width: int, height: int) -> list[Line]:
        tall = max(1, min(4, (height + 1) // len(ORDER)))
        shown = set(ORDER[: (height + tall - 1) // tall])
        names = [name for name in (*LOSSES, "learning_rate") if name in shown]
        lines: list[Line] = []
        for position, name in enumerate(names):
            lines += self._row(name, f"series{position % 8}", width, tall)
        return lines[tall - 1 :] if len(lines) > height else lines

    def _row(self, name: str, colour: str, width: int, tall: int) -> list[Line]:
        look, snapshot = self.look, self.snapshot
        value: float | None = None
        if snapshot is not None:
            value = snapshot.learning_rate if name == "learning_rate" else snapshot.losses.get(name)
        label, number = WORDS[name].ljust(15), figure(value, 6)
        plot = width - len(label) - len(number) - 2
        series = self.history.series(name)
        rows = sparkline(look, series, colour, max(plot, 0), tall) if plot > 3 else []
        head: Line = [(label, look.style("dim")), (number + "  ", look.style("text"))]
        blank: Line = [(" " * (len(label) + len(number) + 2), look.style("dim"))]
        starts = [blank] * (tall - 1) + [head]
        if not rows:
            return starts
        return [[*start, *row] for start, row in zip(starts, rows, strict=True)]
