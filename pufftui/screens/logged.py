"""A run that another program logs: whatever metrics it has, without a game."""

from __future__ import annotations

from dataclasses import replace

from pufftui.keys.bindings import bindings
from pufftui.keys.tables import LOGGED_KEYS, TRAINING_ONLY
from pufftui.layout.cockpit import Arrangement, arrange_logged
from pufftui.screens.watch import WatchScreen
from pufftui.state.health import LOGGED, PHASES, Health
from pufftui.trainer.messages.snapshot import Phase, Snapshot


class LoggedScreen(WatchScreen):
    """Charts in place of the game."""

    KEYS = LOGGED_KEYS
    BINDINGS = bindings((*KEYS, *(replace(key, action="only_watching") for key in TRAINING_ONLY)))

    def show_charts(self) -> None:
        self.action_panel(1)

    def plan(self, width: int, height: int) -> Arrangement:
        return arrange_logged(width, height, self.solo)

    def health(self, snapshot: Snapshot, now: float) -> Health:
        """Only a few rules hold for figures that nobody knows: that is not health."""
        found = super().health(snapshot, now)
        return LOGGED if found is PHASES[Phase.RUNNING] else found

    def show_end(self, snapshot: Snapshot) -> None:
        """A program that has ended says so in the header; there is no score to sum up."""
        self.say_where_it_is(snapshot)

    def action_only_watching(self) -> None:
        self.notify("Another program writes this run.", title="Not from here", markup=False)
