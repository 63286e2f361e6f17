"""What every dashboard of a run has in common: the game, the curves, the log and the machine."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from pufftui.appearance.theme import PuffTheme
from pufftui.layout.cockpit import Arrangement, arrange, with_strip
from pufftui.layout.sheet import with_sheet
from pufftui.layout.stream import arrange_stream
from pufftui.screens.arena import ArenaScreen
from pufftui.screens.controllers.alerts import AlertController
from pufftui.screens.controllers.charts import ChartController
from pufftui.screens.controllers.machine import MachineController
from pufftui.screens.controllers.rival import RivalController
from pufftui.screens.controllers.store import StoreController
from pufftui.screens.controllers.stream import StreamController
from pufftui.screens.controllers.training import Steering, TrainingController
from pufftui.screens.dialogs.end import ErrorScreen, SummaryScreen
from pufftui.state.health import Health
from pufftui.state.session import RunSession
from pufftui.trainer.messages.snapshot import Phase, Snapshot
from pufftui.trainer.monitor.system import GpuSampler, HostSampler
from pufftui.trainer.store import StoreReader
from pufftui.widgets.curves import CurveCard
from pufftui.widgets.header import Header
from pufftui.widgets.log import LogCard
from pufftui.widgets.policy import PolicyCard
from pufftui.widgets.status import Status

CHARTS_PANEL = 6
"""The key of the panel with all charts."""

FIGURES_EVERY = 0.25
STORE_EVERY = 0.5
"""Seconds between two looks at what changes slowly."""


class RunScreen(ArenaScreen):
    """Polls the figures of a run beside the arena.

    Subclasses say in `health` how the run is doing, and in `phase_changed` what comes of it.
    """

    ROLE: ClassVar[str] = ""
    """What the person is to this run, where it is not their own."""

    def __init__(
        self,
        session: RunSession,
        look: PuffTheme,
        host: HostSampler,
        gpu: GpuSampler,
        *,
        elsewhere: bool = False,
        steering: Steering | None = None,
    ) -> None:
        """`elsewhere` is whether another process trains it; `steering` is given if a person may control it."""
        descriptor = session.descriptor
        header = Header(look, descriptor.name, session.folder.id, self.ROLE)
        policy = PolicyCard(look, descriptor, session.tally)
        super().__init__(session, look, header, policy, "training goes on meanwhile")
        self.session: RunSession = session
        self.training = (
            TrainingController(self, session, self.player, steering) if steering else None
        )
        self.charts = ChartController(self, session, self.show_charts)
        self.machine = MachineController(
            look, session, host, gpu, self.rearrange, elsewhere=elsewhere
        )
        self.alerts = AlertController(self, session, self.player, self.training)
        self.stream = StreamController(
            self, self.charts.charting, descriptor, header, self.footer, self.player
        )
        self.status = Status(look, descriptor, session.tally)
        self.log_card = LogCard(look)
        cards = self.charts.card, self.log_card
        self.store = StoreController(self, session, self.look_into_store, cards)
        self.panels += [
            *(*self.charts.cards, self.status, self.machine.card, self.machine.timing),
            *(self.log_card, self.alerts.strip, *self.stream.panels),
        ]
        self.charts.drawn_along = [self.stream.curve]
        self.controllers |= {
            "charts": self.charts,
            "alerts": self.alerts,
            "stream": self.stream,
            "rival": RivalController(self, session, self.arena),
        }
        if self.training is not None:
            self.controllers["training"] = self.training
        self._figures, self._rows = self.every(FIGURES_EVERY), self.every(STORE_EVERY)
        self.snapshot: Snapshot | None = None
        """What is on the screen."""

    def plan(self, width: int, height: int) -> Arrangement:
        calling = bool(self.alerts.calling)
        rows, aspect = height - calling, self.session.descriptor.picture_aspect
        if self.stream.on:
            plan = arrange_stream(width, rows, aspect)
        else:
            plan = arrange(width, rows, aspect, self.solo, self.machine.gpus)
        if self.session.descriptor.describes:
            plan = with_sheet(plan, self.solo)
        return with_strip(plan) if calling else plan

    def begin(self) -> None:
        self.machine.begin()

    def end(self) -> None:
        self.machine.end()
        self.store.close()

    # What is polled.

    def tick(self) -> None:
        super().tick()
        self.charts.tick()
        now = self.session.clock()
        if self._figures.is_due(now):
            self._follow_training(now)
            self.machine.follow()
            self.machine.keep_pace(now, free=self.player.playing or self.stream.on)
        if self._rows.is_due(now):
            self.store.follow()
        self.stream.tick(now)
        self.alerts.tick(now)

    def _follow_training(self, now: float) -> None:
        snapshot = self.session.runner.latest
        if snapshot is not self.snapshot:
            previous, self.snapshot = self.snapshot, snapshot
            if self.training is not None:
                self.training.show(snapshot)
            self.alerts.show(snapshot)
            self.charts.show(snapshot)
            if previous is None or previous.phase is not snapshot.phase:
                self.phase_changed(previous, snapshot)
            self.machine.show(snapshot)
        self.stream.show(snapshot)
        self.header.show(snapshot, self.health(snapshot, now))
        self.status.show(snapshot, self.solo)

    def look_into_store(self, reader: StoreReader) -> None:
        """Reads what is new of the run, at most twice a second; may raise `PuffError`."""
        changed = self.charts.poll(reader)
        self.log_card.poll(reader)
        new = self.alerts.poll(reader)
        self.charts.mark(self.log_card.events, self.alerts.known.rows, changed=changed)
        self.stream.hear(self.log_card.events, new or [])
        if new is not None:
            self.alerts.changed(new)
        self.machine.poll(reader)

    # What keys and the pointer do.

    def action_panel(self, number: int) -> None:
        self.stream.turn(on=False)
        super().action_panel(number)

    def show_charts(self) -> None:
        """Shows all charts alone."""
        self.action_panel(CHARTS_PANEL)

    def on_curve_card_pointed(self, message: CurveCard.Pointed) -> None:
        self.charts.charting.hover(message.place)

    def on_curve_card_zoomed(self, message: CurveCard.Zoomed) -> None:
        self.charts.charting.zoom(closer=message.closer, at=message.place)

    def on_curve_card_asked(self, message: CurveCard.Asked) -> None:
        self.charts.ask(message.metric)

    # How the run is doing.

    @abstractmethod
    def health(self, snapshot: Snapshot, now: float) -> Health:
        """How the run is doing, in a word."""

    @abstractmethod
    def phase_changed(self, before: Snapshot | None, snapshot: Snapshot) -> None:
        """Called when the run begins another phase, and with the first snapshot."""

    def show_end(self, snapshot: Snapshot) -> ErrorScreen | SummaryScreen | None:
        """Says how training ended; the dialog that does, if one does."""
        folder = self.session.folder
        if snapshot.phase in (Phase.FAILED, Phase.DIED):
            dialog: ErrorScreen | SummaryScreen = ErrorScreen(
                self.look, folder.id, str(folder.log), snapshot
            )
        else:
            self.store.follow()  # The checks speak of a whole run when it ends.
            dialog = SummaryScreen(
                self.look,
                folder.id,
                self.session.descriptor,
                snapshot,
                self.charts.charting.history,
                self.alerts.known.about_score,
                self.store.evaluated(),
            )
        self.app.push_screen(dialog)
        return dialog
