"""What happened to a run, as signs along the x axis of its charts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pufftui.state.alerts import COLOURS, SIGNS, level_of
from pufftui.trainer.health import Level
from pufftui.trainer.store import AlertRow, Event

EVENTS = {
    "checkpoint": ("◆", "dim", 0),
    "resume": ("▶", "dim", 1),
    "start": ("▶", "dim", 1),
    "change": ("±", "series1", 2),
    "rollback": ("↶", "warning", 3),
}
"""Kinds of events that are marked: a sign, the name of a colour, and which one wins a place."""

LINE_FROM = 2
"""Marks of this rank and above get a line through the chart."""


def begins(event: Event) -> bool:
    """Whether it belongs to the beginning of the run, which nobody needs to be told of."""
    return event.kind in {"start", "checkpoint"} and event.step == 0


@dataclass(frozen=True, slots=True)
class Mark:
    """Something at a step. Where two share a column, the higher rank is seen."""

    step: int
    sign: str
    colour: str
    rank: int

    @property
    def line(self) -> bool:
        """Whether a line goes through the chart."""
        return self.rank >= LINE_FROM


def marks_of(events: Iterable[Event], alerts: Iterable[AlertRow]) -> list[Mark]:
    """The marks of a run, the least important first; its first start is none."""
    marks = [
        Mark(event.step, *EVENTS[event.kind])
        for event in events
        if event.kind in EVENTS and not begins(event)
    ]
    for alert in alerts:
        level = level_of(alert)
        if level > Level.INFO:
            marks.append(Mark(alert.step, SIGNS[level], COLOURS[level], 3 + level))
    return sorted(marks, key=lambda mark: (mark.rank, mark.step))
