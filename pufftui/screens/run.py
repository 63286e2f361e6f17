"""What every dashboard of a run has in common: the game, the curves, the log and the machine."""

from __future__ import annotations

from collections.abc import Mapping

from textual import work

from pufftui.arrange import Arrangement, arrange
from pufftui.envs.errors import PuffError
from pufftui.health import Health
from pufftui.history import History
from pufftui.screens.arena import ArenaScreen
from pufftui.screens.ask import ChangeScreen, NoteScreen
from pufftui.screens.end import ErrorScreen, SummaryScreen
from pufftui.session import RunSession
from pufftui.theme import PuffTheme
from pufftui.trainer.command import Checkpoint, Command, Pause, Resume
from pufftui.trainer.snapshot import Phase, Snapshot
from pufftui.trainer.store import StoreReader, add_note
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


class RunScreen(ArenaScreen):
    """Polls the figures of a run beside the arena.

    Subclasses say in `health` how the run is doing, and in `phase_changed` what comes of it.
    """

    ROLE = ""
    """What the person is to this run, where it is not their own."""

    session: RunSession

    def __init__(
        self, session: RunSession, look: PuffTheme, host: HostSampler, gpu: GpuSampler
    ) -> None:
        descriptor = session.descriptor
        header = Header(look, descriptor.name, session.folder.id, self.ROLE)
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
        self._complained = False
        self._readings: tuple[HostReading, GpuReadings] | None = None

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
            previous, self._snapshot = self._snapshot, snapshot
            for card in (self.timing, self.learning, self.score, self.speed):
                card.snapshot = snapshot
            if previous is None or previous.phase is not snapshot.phase:
                self.phase_changed(previous, snapshot)
            self.timing.paint()
            if not len(self.history.steps):
                self._paint_curves()
        self.header.show(snapshot, self.health(snapshot, now))
        self.status.show(snapshot, self.solo)

    def _follow_machine(self) -> None:
        readings = self.readings()
        if readings != self._readings:
            self._readings = readings
            device = self._snapshot.device if self._snapshot else ""
            self.machine.show(*readings, device)
            if self._gpus != len(readings[1].gpus):
                self._gpus = len(readings[1].gpus)
                self._rearrange()

    def readings(self) -> tuple[HostReading, GpuReadings]:
        """What the machine that trains is doing."""
        return self._host.latest, self._gpu.latest

    def look_into_store(self, reader: StoreReader) -> None:
        """Reads what is new of the run, at most twice a second; may raise `PuffError`."""
        if self.history.poll(reader):
            self._paint_curves()
        self.log_card.poll(reader)

    def _follow_store(self) -> None:
        if self._reader is None:
            self._reader = self.session.open_store()
        try:
            self.look_into_store(self._reader)
        except PuffError as error:
            if not self._complained:
                self._complained = True
                self.notify(str(error), title="The store", severity="error", markup=False)

    def _paint_curves(self) -> None:
        for card in (self.score, self.speed, self.learning):
            if card.is_on_screen:
                card.paint()

    # What a person does who may control the run; others have no keys for it.

    def command(self, command: Command) -> None:
        """Sends a command to the trainer."""
        raise NotImplementedError

    def settings(self) -> Mapping[str, float]:
        """The live settings by path, with their values."""
        return self.session.runner.latest.settings

    def action_pause_training(self) -> None:
        paused = self.session.runner.latest.phase is Phase.PAUSED
        self.command(Resume() if paused else Pause())

    def action_checkpoint(self) -> None:
        self.command(Checkpoint())
        self.notify("It is written at the next epoch.", title="Checkpoint", timeout=2)

    def action_change_setting(self) -> None:
        values = self.settings()
        if values:
            self.app.push_screen(ChangeScreen(self.look, values, self.command))
        else:
            self.notify("Training has not begun, or has ended.", title="No setting to change")

    def action_note(self) -> None:
        self.app.push_screen(NoteScreen(self.look, self._write_note))

    @work(thread=True, exit_on_error=False)
    def _write_note(self, text: str) -> None:
        session = self.session
        try:
            add_note(session.folder.database, session.runner.latest.step, text)
        except PuffError as error:
            self.notify(str(error), title="The note is not kept", severity="error", markup=False)
        else:
            self.notify(text, title="Kept with the run", markup=False)

    # What subclasses say.

    def health(self, snapshot: Snapshot, now: float) -> Health:
        """How the run is doing."""
        raise NotImplementedError

    def phase_changed(self, before: Snapshot | None, snapshot: Snapshot) -> None:
        """Called when the run begins another phase, and with the first snapshot."""
        raise NotImplementedError

    def show_end(self, snapshot: Snapshot) -> None:
        """Says how training ended."""
        session = self.session
        if snapshot.phase in (Phase.FAILED, Phase.DIED):
            log = str(session.folder.log)
            self.app.push_screen(ErrorScreen(self.look, session.folder.id, log, snapshot))
        else:
            self.app.push_screen(
                SummaryScreen(
                    self.look, session.folder.id, session.descriptor, snapshot, self.history
                )
            )
