"""A screen for an audience, as a part of every dashboard: which panels it has, and what feeds them."""

from __future__ import annotations

from collections.abc import Sequence

from pufftui.charts.charting import Charting
from pufftui.envs.descriptor import Descriptor
from pufftui.screens.controllers.player import PlayerController
from pufftui.screens.panels import PanelScreen
from pufftui.trainer.messages.snapshot import Snapshot
from pufftui.trainer.store import AlertRow, Event
from pufftui.widgets.footer import Footer
from pufftui.widgets.header import Header
from pufftui.widgets.news import News
from pufftui.widgets.painted import Painted
from pufftui.widgets.stream import BigCurve, BigScore, BigSpeed

FIRST = ("help", "quit", "stream", "take_over", "pause_game", "next_agent", "privacy")
"""Keys that come first in the footer before an audience."""


class StreamController:
    """The panels beside the game while `on`; the dashboard places them and tells them everything."""

    def __init__(
        self,
        screen: PanelScreen,
        charting: Charting,
        descriptor: Descriptor,
        header: Header,
        footer: Footer,
        player: PlayerController,
    ) -> None:
        look = screen.look
        self.on = False
        self.score = BigScore(look, descriptor)
        self.speed = BigSpeed(look)
        self.curve = BigCurve(look, charting, descriptor)
        self.news = News(look)
        self._screen, self._player = screen, player
        self._header, self._footer = header, footer

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

    def toggle(self) -> None:
        """A screen for an audience, which sees no names; or the whole dashboard again."""
        self.turn(on=not self.on)
        if self.on:
            self._screen.owner.set_privacy(private=True)
        self._screen.rearrange()

    def turn(self, *, on: bool) -> None:
        """Where the panels lie from the next layout on, and which keys stand below them."""
        self.on = on
        self._header.tells_progress = not on
        self._footer.first = FIRST if on else ()
        self._player.label(stream="all panels" if on else "stream")
