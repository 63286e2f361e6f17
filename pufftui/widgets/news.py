"""What has just happened, in letters that can be read from afar; between that, how far the run is."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from pufftui.appearance.banner import banner
from pufftui.appearance.format import duration, figure, fit, steps
from pufftui.appearance.glyphs import thick_bar
from pufftui.appearance.line import Line
from pufftui.appearance.theme import PuffTheme
from pufftui.charts.marks import begins
from pufftui.state.alerts import level_of
from pufftui.trainer.health import Level
from pufftui.trainer.messages.snapshot import Snapshot
from pufftui.trainer.store import AlertRow, Event
from pufftui.widgets.painted import Painted

SECONDS = 4.0
"""How long one piece of news is shown."""

WAITING = 3
"""News that may wait for their turn; older ones are dropped."""

BEST = "new best"
"""Begins the news of a best score."""

KINDS = {
    "best": "good",
    "checkpoint": "policy",
    "pause": "warning",
    "resume": "policy",
    "stop": "warning",
    "failed": "error",
    "rollback": "warning",
}
"""Events an audience wants to hear of, and the name of their colour."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A few words and the colour of their ground."""

    words: str
    colour: str


class News(Painted):
    """Shows each piece for a few seconds, the newest last."""

    def __init__(self, look: PuffTheme) -> None:
        super().__init__(look, "news")
        self.snapshot: Snapshot | None = None
        self._waiting: deque[Piece] = deque(maxlen=WAITING)
        self._piece: Piece | None = None
        self._until = 0.0
        self._heard: int | None = None

    def hear(self, events: Sequence[Event], alerts: Sequence[AlertRow]) -> None:
        """Takes in all events and the new alerts; what was there at first is no news.

        Neither is the checkpoint from before the first step.
        """
        last = events[-1].id if events else 0
        if self._heard is not None:
            for event in events:
                if event.id > self._heard and event.kind in KINDS and not begins(event):
                    self._wait(Piece(_words(event), KINDS[event.kind]))
        self._heard = last
        for alert in alerts:
            colour = "error" if level_of(alert) is Level.CRITICAL else "warning"
            self._wait(Piece(alert.title, colour))

    def _wait(self, piece: Piece) -> None:
        """A new best makes one that still waits old."""
        if piece.words.startswith(BEST):
            kept = [other for other in self._waiting if not other.words.startswith(BEST)]
            self._waiting = deque(kept, maxlen=WAITING)
        self._waiting.append(piece)

    def tick(self, now: float) -> None:
        """Called many times a second: the next piece, if it is time for it."""
        if now < self._until:
            return
        before = self._piece
        self._piece = self._waiting.popleft() if self._waiting else None
        self._until = now + SECONDS if self._piece else now
        if self._piece is not before:
            self.ground = self._piece.colour if self._piece else "surface"
            self.paint()

    def show(self, snapshot: Snapshot) -> None:
        """How far the run is, and what its best score is by now."""
        self.snapshot = snapshot
        if self._piece is None or self._piece.words.startswith(BEST):
            self.paint()

    def lines(self, width: int, height: int) -> list[Line]:
        edge: list[Line] = []
        if self.roomy:
            letter = " " if self.look.glyphs.ascii_only else "▄"
            edge, height = (
                [[(letter * width, self.look.style(self.ground, "background"))]],
                height - 1,
            )
        if self._piece is not None:
            return edge + self._news(self._piece, width, height)
        return edge + self._progress(width, height)

    def _news(self, piece: Piece, width: int, height: int) -> list[Line]:
        style = self.look.style("background", self.ground, bold=True)
        words = self.look.words(self._now(piece)).upper()
        large = banner(words, width - 4, height - (height > 4), self.look.glyphs)
        rows = large or [fit(words, width - 4).strip()]
        return _middle([[(row.center(width), style)] for row in rows], height)

    def _now(self, piece: Piece) -> str:
        """Its words; a best score that has waited for its turn is no longer the best."""
        best = self.snapshot.best_score if self.snapshot is not None else None
        if best is None or not piece.words.startswith(BEST):
            return piece.words
        return f"{BEST} {figure(best)}"

    def _progress(self, width: int, height: int) -> list[Line]:
        """How much is done: a thick bar and the figures to it."""
        look, snapshot = self.look, self.snapshot
        if snapshot is None:
            return []
        far, time = steps(snapshot.step), duration(snapshot.seconds)
        if snapshot.seconds_left is not None and not snapshot.phase.ended:
            time += f", {duration(snapshot.seconds_left)} left"
        if not snapshot.total_steps:
            return _middle([[(f"  step {far}   {time}", look.style("text", bold=True))]], height)
        share = min(snapshot.step / snapshot.total_steps, 1.0)
        # Progress is quiet: no larger than the figures that matter more.
        digits = banner(f"{share:.0%}", width // 4, min(height - 1, 6), look.glyphs, largest=1)
        left = len(digits[0]) + 4 if digits else 2
        room, far = width - left - 2, f"{far} of {steps(snapshot.total_steps)} steps"
        gap = " " * max(1, room - len(far) - len(time))
        bar: Line = [(thick_bar(share, room), look.style("policy", "track"))]
        text: Line = [
            (far, look.style("text", bold=True)),
            (gap, look.style("dim")),
            (time, look.style("text")),
        ]
        beside = [bar, bar, text] if len(digits) >= 3 else [bar, text]
        blocks = _middle(beside, max(len(digits), 2))
        colour = look.style("policy", bold=True)
        rows: list[Line] = []
        for row in range(max(len(digits), len(blocks))):
            start = f"  {digits[row]}" if row < len(digits) else ""
            rows.append([(start.ljust(left), colour), *(blocks[row] if row < len(blocks) else [])])
        return _middle(rows, height)


def _middle(rows: list[Line], height: int) -> list[Line]:
    """All of the height, so that the whole panel changes its ground."""
    free = max(0, height - len(rows))
    above: list[Line] = [[] for _ in range(free // 2)]
    below: list[Line] = [[] for _ in range(free - free // 2)]
    return [*above, *rows, *below][:height]


def _words(event: Event) -> str:
    """An event in as few words as it takes."""
    match event.kind:
        case "checkpoint":
            return event.text.replace(" at ", " ").partition("(")[0].strip()
        case "failed":
            return "training has failed"
        case "pause":
            return "paused"
    return event.text.partition("\n")[0]
