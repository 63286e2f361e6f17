"""A screen for an audience, as a part of every dashboard: which panels it has, and what feeds them."""

from __future__ import annotations

from collections.abc import Sequence

from pufftui.appearance.theme import PuffTheme
from pufftui.charts.charting import Charting
from pufftui.envs.descriptor import Descriptor
from pufftui.trainer.messages.snapshot import Snapshot
from pufftui.trainer.store import AlertRow, Event
from pufftui.widgets.news import News
from pufftui.widgets.painted import Painted
from pufftui.widgets.stream import BigCurve, BigScore, BigSpeed


class Stream:
    """The panels beside the game while `on`; the dashboard places them and tells them everything."""

    def __init__(self, look: PuffTheme, charting: Charting, descriptor: Descriptor) -> None:
        self.on = False
        self.score = BigScore(look, descriptor)
        self.speed = BigSpeed(look)
        self.curve = BigCurve(look, charting, descriptor)
        self.news = News(look)

    @property
    def panels(self) -> list[Painted]:
        """All panels that nothing else shows."""
        return [self.score, self.speed, self.curve, self.news]

    def show(self, snapshot: Snapshot) -> None:
        """Hands on the newest figures."""
        self.curve.snapshot = snapshot
        for panel in (self.score, self.speed, self.news):
            panel.show(snapshot)

    def hear(self, events: Sequence[Event], alerts: Sequence[AlertRow] = ()) -> None:
        """Hands on all events so far, and the alerts that are new."""
        self.news.hear(events, alerts)

    def tick(self, now: float) -> None:
        """Called many times a second."""
        self.news.tick(now)
