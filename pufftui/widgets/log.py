"""What has happened, newest first."""

from __future__ import annotations

from pufftui.appearance.format import duration, fit
from pufftui.appearance.line import Line
from pufftui.appearance.theme import PuffTheme
from pufftui.charts.marks import EVENTS
from pufftui.trainer.store import Event, StoreReader
from pufftui.widgets.painted import Card

KEPT = 500

NARROW = 22
"""Columns below which an event's text needs all the room."""

SIGNS = {kind: (sign, colour) for kind, (sign, colour, _) in EVENTS.items()} | {
    "start": ("▶", "policy"),
    "resume": ("▶", "policy"),
    "pause": ("‖", "warning"),
    "stop": ("■", "warning"),
    "best": ("★", "good"),
    "warning": ("▲", "warning"),
    "error": ("✕", "error"),
    "failed": ("✕", "error"),
}
"""How kinds of events are marked, most of them as on the charts: a sign and the name of a colour."""


class LogCard(Card):
    """The events of the run, read from its store."""

    title = "log"
    airy = 9

    def __init__(self, look: PuffTheme) -> None:
        super().__init__(look, "log")
        self.events: list[Event] = []

    def poll(self, reader: StoreReader) -> None:
        """Takes in what was written since the last call."""
        new = reader.events_after(self.events[-1].id if self.events else 0)
        if new:
            self.events = [*self.events, *new][-KEPT:]
            self.paint()

    def content(self, width: int, height: int) -> list[Line]:
        if not self.events:
            return self.say(self.trouble or "nothing has happened yet", width, height)
        look = self.look
        lines: list[Line] = []
        for event in reversed(self.events[-height:] if height else []):
            sign, colour = SIGNS.get(event.kind, ("·", "dim"))
            time = f"{duration(event.seconds):>7} " if width >= NARROW else ""
            room = max(0, width - len(time) - 2)
            lines.append(
                [
                    (time, look.style("dim")),
                    (f"{sign} ", look.style(colour, bold=True)),
                    (fit(look.words(_last_line(event.text)), room), look.style("text")),
                ]
            )
        return lines


def _last_line(text: str) -> str:
    """Of a traceback the line that says what happened."""
    return (text.strip().splitlines() or [""])[-1]
