"""The dashboard: the game, the curves and the machine while an agent learns."""

from __future__ import annotations

from pufftui.arrange import Arrangement, arrange
from pufftui.health import health
from pufftui.history import History
from pufftui.keys import KEYS, bindings
from pufftui.screens.arena import ArenaScreen
from pufftui.screens.end import ErrorScreen, SummaryScreen
from pufftui.screens.quit import QuitScreen
from pufftui.session import Session
from pufftui.theme import PuffTheme
from pufftui.trainer.command import Checkpoint, Pause, Resume
from pufftui.trainer.snapshot import Phase, Snapshot
from pufftui.trainer.store import StoreReader
from pufftui.trainer.system import GpuReadings, GpuSampler, HostReading, HostSampler, Sampling
from pufftui.widgets.curves import LearningCard, ScoreCard, SpeedCard
from pufftui.widgets.header import Header
from pufftui.widgets.log import LogCard
from pufftui.widgets.machine import MachineCard, TimeCard
from pufftui.widgets.policy import PolicyCard
from pufftui.widgets.status import Status

FIGURES_EVERY = 0.25
STORE_EVERY = 0.5
"""Seconds between two looks at what changes slowly."""


class LiveScreen(ArenaScreen):
    """Polls the trainer beside the arena."""

    KEYS = KEYS
    BINDINGS = bindings(KEYS)
    session: Session

    def __init__(
        self, session: Session, look: PuffTheme, host: HostSampler, gpu: GpuSampler
    ) -> None:
        descriptor = session.descriptor
        header = Header(look, descriptor.name, session.folder.id)
        policy = PolicyCard(look, descriptor)
        super().__init__(session, look, header, policy, "training goes on meanwhile")
        self._host, self._gpu = host, gpu
        self._samplings = (Sampling(host), Sampling(gpu))
        self.history = History()
        self.status = Status(look, descriptor)
        self.score = ScoreCard(look, self.history, descriptor)
        self.speed = SpeedCard(look, "speed", self.history)
        self.learning = LearningCard(look, "learning", self.history)
        self.machine = MachineCard(look)
        self.timing = TimeCard(look)
        self.log_card = LogCard(look)
        self.panels += [
            self.status,
            self.score,
            self.speed,
            self.learning,
            self.machine,
            self.timing,
            self.log_card,
        ]
        self._gpus = 0
        self._reader: StoreReader | None = None
        self._snapshot: Snapshot | None = None
        self._readings: tuple[HostReading, GpuReadings] | None = None
        self._heard = session.clock()

    def plan(self, width: int, height: int) -> Arrangement:
        aspect = self.session.descriptor.picture_aspect
        return arrange(width, height, aspect, self.solo, self._gpus)

    def begin(self) -> None:
        for sampling in self._samplings:
            sampling.start()

    def end(self) -> None:
        for sampling in self._samplings:
            sampling.stop()
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    # What is polled.

    def tick(self) -> None:
        super().tick()
        now = self.session.clock()
        if self._is_due("figures", now, FIGURES_EVERY):
            self._follow_training(now)
            self._follow_machine()
        if self._is_due("store", now, STORE_EVERY):
            self._follow_store()

    def _follow_training(self, now: float) -> None:
        snapshot = self.session.runner.latest
        if snapshot is not self._snapshot:
            self._heard = now
            previous, self._snapshot = self._snapshot, snapshot
            for card in (self.timing, self.learning, self.score, self.speed):
                card.snapshot = snapshot
            if previous is None or previous.phase is not snapshot.phase:
                self._phase_changed(snapshot)
            self.timing.paint()
            if not len(self.history.steps):
                self._paint_curves()
        self.header.show(snapshot, health(snapshot, now - self._heard))
        self.status.show(snapshot, self.solo)

    def _follow_machine(self) -> None:
        readings = self._host.latest, self._gpu.latest
        if readings != self._readings:
            self._readings = readings
            device = self._snapshot.device if self._snapshot else ""
            self.machine.show(*readings, device)
            if self._gpus != len(readings[1].gpus):
                self._gpus = len(readings[1].gpus)
                self._rearrange()

    def _follow_store(self) -> None:
        if self._reader is None:
            self._reader = self.session.open_store()
        if self.history.poll(self._reader):
            self._paint_curves()
        self.log_card.poll(self._reader)

    def _paint_curves(self) -> None:
        for card in (self.score, self.speed, self.learning):
            if card.is_on_screen:
                card.paint()

    def _phase_changed(self, snapshot: Snapshot) -> None:
        paused = snapshot.phase is Phase.PAUSED
        self._label(pause="resume training" if paused else "pause training")
        if snapshot.phase.ended:
            self._show_end(snapshot)

    def _show_end(self, snapshot: Snapshot) -> None:
        """Says how training ended; a person who is leaving anyway is not bothered."""
        if isinstance(self.app.screen, QuitScreen):
            return
        session = self.session
        if snapshot.phase is Phase.FAILED:
            log = str(session.folder.log)
            self.app.push_screen(ErrorScreen(self.look, session.folder.id, log, snapshot))
        else:
            self.app.push_screen(
                SummaryScreen(
                    self.look, session.folder.id, session.descriptor, snapshot, self.history
                )
            )

    # What the person does.

    def action_pause_training(self) -> None:
        paused = self.session.runner.latest.phase is Phase.PAUSED
        self.session.runner.send(Resume() if paused else Pause())

    def action_checkpoint(self) -> None:
        self.session.runner.send(Checkpoint())
        self.notify("It is written at the next epoch.", title="Checkpoint", timeout=2)

    def action_quit(self) -> None:
        """Asks, unless training has already ended."""
        if self.session.runner.latest.phase.ended:
            self.app.exit()
        elif not isinstance(self.app.screen, QuitScreen):
            self.app.push_screen(QuitScreen(self.look, self.session))
