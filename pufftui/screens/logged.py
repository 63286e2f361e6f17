"""A run that another program logs: whatever metrics it has, without a game."""

from __future__ import annotations

from dataclasses import replace

from pufftui.arrange import Arrangement, arrange_logged
from pufftui.keys import LOGGED_KEYS, TRAINING_ONLY, bindings
from pufftui.screens.watch import WatchScreen
from pufftui.session import WatchSession
from pufftui.theme import PuffTheme
from pufftui.trainer.snapshot import Snapshot
from pufftui.trainer.system import GpuSampler, HostSampler
from pufftui.widgets.metrics import MetricsCard


class LoggedScreen(WatchScreen):
    """Charts in place of the game."""

    KEYS = LOGGED_KEYS
    BINDINGS = bindings((*KEYS, *(replace(key, action="only_watching") for key in TRAINING_ONLY)))

    def __init__(
        self, session: WatchSession, look: PuffTheme, host: HostSampler, gpu: GpuSampler
    ) -> None:
        super().__init__(session, look, host, gpu)
        self.metrics = MetricsCard(look, self.history)
        self.panels.append(self.metrics)

    def plan(self, width: int, height: int) -> Arrangement:
        return arrange_logged(width, height, self.solo)

    def show_end(self, snapshot: Snapshot) -> None:
        """A program that has ended says so in the header; there is no score to sum up."""
        self.say_where_it_is(snapshot)

    def action_page(self, by: int) -> None:
        self.metrics.turn(by)

    def action_only_watching(self) -> None:
        self.notify("Another program writes this run.", title="Not from here", markup=False)

    def _paint_curves(self) -> None:
        if self.metrics.is_on_screen:
            self.metrics.paint()
