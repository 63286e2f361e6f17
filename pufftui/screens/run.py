"""What every dashboard of a run has in common: the game, the curves, the log and the machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import ClassVar

from textual import work

from pufftui.appearance.theme import PuffTheme
from pufftui.envs.errors import PuffError
from pufftui.envs.vector import available_cores
from pufftui.layout.cockpit import Arrangement, arrange, with_strip
from pufftui.layout.stream import arrange_stream
from pufftui.screens.charts import ChartScreen
from pufftui.screens.dialogs.alerts import AlertsScreen
from pufftui.screens.dialogs.ask import ChangeScreen, NoteScreen
from pufftui.screens.dialogs.critical import CriticalScreen, roll_back
from pufftui.screens.dialogs.end import ErrorScreen, SummaryScreen
from pufftui.screens.stream import Stream
from pufftui.state.alerts import Alerts, level_of
from pufftui.state.asked import Asked
from pufftui.state.health import Health
from pufftui.state.pace import Pace
from pufftui.state.session import RunSession
from pufftui.terminal.direct import write_control
from pufftui.terminal.notify import BELL, desktop
from pufftui.trainer.health import Level
from pufftui.trainer.messages.command import (
    Checkpoint,
    Command,
    Pause,
    Resume,
    SetFrameRate,
    SetRival,
    UndoChange,
)
from pufftui.trainer.messages.snapshot import Phase, Snapshot
from pufftui.trainer.monitor.system import (
    GpuReadings,
    GpuSampler,
    HostReading,
    HostSampler,
    Sampling,
)
from pufftui.trainer.run.policies import best_policy
from pufftui.trainer.store import AlertRow, StoreReader, acknowledge, add_note, mute
from pufftui.widgets.alert_strip import FLASH_SECONDS, AlertStrip
from pufftui.widgets.header import Header
from pufftui.widgets.log import LogCard
from pufftui.widgets.machine import MachineCard, TimeCard
from pufftui.widgets.policy import PolicyCard
from pufftui.widgets.status import Status

STREAM_FIRST = ("help", "quit", "stream", "take_over", "pause_game", "next_agent", "privacy")
"""Keys that come first in the footer before an audience."""

FIGURES_EVERY = 0.25
STORE_EVERY = 0.5
"""Seconds between two looks at what changes slowly."""


class RunScreen(ChartScreen):
    """Polls the figures of a run beside the arena.

    Subclasses say in `health` how the run is doing, and in `phase_changed` what comes of it.
    """

    ROLE = ""
    """What the person is to this run, where it is not their own."""

    IN_CONTROL: ClassVar[bool] = False
    """Whether the person may change anything."""

    session: RunSession

    def __init__(
        self, session: RunSession, look: PuffTheme, host: HostSampler, gpu: GpuSampler
    ) -> None:
        descriptor = session.descriptor
        header = Header(look, descriptor.name, session.folder.id, self.ROLE)
        policy = PolicyCard(look, descriptor, session.tally)
        super().__init__(session, look, header, policy, "training goes on meanwhile")
        self._host, self._gpu = host, gpu
        self._samplings = (Sampling(host), Sampling(gpu))
        self.status = Status(look, descriptor, session.tally)
        self.machine = MachineCard(look)
        self.timing = TimeCard(look)
        self.log_card = LogCard(look)
        self.alerts, self.strip = Alerts(), AlertStrip(look)
        self.stream = Stream(look, self.charting, descriptor)
        self._flash_until = 0.0
        self.panels += [
            self.status,
            self.machine,
            self.timing,
            self.log_card,
            self.strip,
            *self.stream.panels,
        ]
        self._gpus = 0
        self._pace = Pace(available_cores())
        self._reader: StoreReader | None = None
        self._snapshot: Snapshot | None = None
        self._complained = False
        self._readings: tuple[HostReading, GpuReadings] | None = None
        self._asked_to_pause = Asked[bool]()

    def plan(self, width: int, height: int) -> Arrangement:
        calling = bool(self._calling())
        rows, aspect = height - calling, self.session.descriptor.picture_aspect
        if self.stream.on:
            plan = arrange_stream(width, rows, aspect)
        else:
            plan = arrange(width, rows, aspect, self.solo, self._gpus)
        return with_strip(plan) if calling else plan

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
            self._keep_pace(now)
        if self._is_due("store", now, STORE_EVERY):
            self._follow_store()
        self.stream.tick(now)
        if self.strip.is_on_screen:
            self.strip.show(self._calling(), flash=now < self._flash_until)

    def _follow_training(self, now: float) -> None:
        snapshot = self.session.runner.latest
        if snapshot is not self._snapshot:
            previous, self._snapshot = self._snapshot, snapshot
            self.timing.snapshot = snapshot
            self._asked_to_pause.see(snapshot.phase is Phase.PAUSED)
            for card in self.chart_cards:
                card.snapshot = snapshot
            self.charting.provisional_steps = snapshot.provisional_steps
            if previous is None or previous.phase is not snapshot.phase:
                self.phase_changed(previous, snapshot)
            self.timing.paint()
            if not len(self.charting.history.steps):
                self.paint_charts()
        self.stream.show(snapshot)
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

    def _keep_pace(self, now: float) -> None:
        """Shows fewer frames of the game where all of them would cost too much of the training."""
        trains = self._snapshot is not None and self._snapshot.phase is Phase.RUNNING
        spent = time.thread_time() + self.session.arena.spent
        free = not trains or self.playing or self.stream.on
        before = self._pace.rate
        rate = self._pace.follow(now, spent, free=free)
        if rate != before:
            self.session.arena.send(SetFrameRate(rate))

    def readings(self) -> tuple[HostReading, GpuReadings]:
        """What the machine that trains is doing."""
        return self._host.latest, self._gpu.latest

    def look_into_store(self, reader: StoreReader) -> None:
        """Reads what is new of the run, at most twice a second; may raise `PuffError`."""
        changed = self.charting.poll(reader)
        self.log_card.poll(reader)
        new = self.alerts.poll(reader)
        if self.charting.mark(self.log_card.events, self.alerts.rows) or changed:
            self.paint_charts()
        fresh = [row for row in new or () if row.rule not in self.alerts.muted]
        self.stream.hear(self.log_card.events, fresh)
        if new is not None:
            self._alerts_changed(fresh)

    def _follow_store(self) -> None:
        if self._reader is None:
            self._reader = self.session.open_store()
        try:
            self.look_into_store(self._reader)
        except PuffError as error:
            if not self._complained:
                self._complained = True
                self.notify(str(error), title="The store", severity="error", markup=False)

    def paint_charts(self) -> None:
        super().paint_charts()
        if self.stream.curve.is_on_screen:
            self.stream.curve.paint()

    # An audience.

    def action_stream(self) -> None:
        """A screen for an audience, which sees no names; or the whole dashboard again."""
        self.set_stream(on=not self.stream.on)
        if self.stream.on:
            self.owner.set_privacy(private=True)
        self._rearrange()

    def set_stream(self, *, on: bool) -> None:
        """Where the panels lie from the next layout on, and which keys stand below them."""
        self.stream.on = on
        self.footer.first = STREAM_FIRST if on else ()
        self._label(stream="all panels" if on else "stream")

    def action_panel(self, number: int) -> None:
        self.set_stream(on=False)
        super().action_panel(number)

    # Alerts.

    def _calling(self) -> list[AlertRow]:
        """What the strip shows: nothing of a run that has ended."""
        ended = self._snapshot is not None and self._snapshot.phase.ended
        return [] if ended else self.alerts.calling

    def _alerts_changed(self, new: list[AlertRow]) -> None:
        calls = [row for row in new if level_of(row) >= Level.WARNING and row.over_step is None]
        if calls and self._calling():
            self._flash_until = self.session.clock() + FLASH_SECONDS
            self._call(max(calls, key=level_of))
        if bool(self._calling()) != self.strip.is_on_screen:
            self._rearrange()

    def _call(self, alert: AlertRow) -> None:
        """Calls the person: a bell, and a notification if another window has the keyboard.

        Whoever is in control and not playing is asked what to do about something critical.
        """
        words = (
            ""
            if self.app.app_focus
            else desktop(self.look.words(alert.title), self.look.words(alert.text))
        )
        write_control(self.app, BELL + words)
        free = self.app.screen is self and not self.playing
        if self.IN_CONTROL and free and level_of(alert) is Level.CRITICAL:
            self.app.push_screen(CriticalScreen(self.look, alert, self.command, self.see))

    def action_alerts(self) -> None:
        back = (lambda alert: self.command(roll_back(alert))) if self.IN_CONTROL else None
        self.app.push_screen(AlertsScreen(self.look, self.alerts, self.see, self.mute, back))

    def action_seen(self) -> None:
        for alert in self._calling():
            self.see(alert)

    def see(self, alert: AlertRow) -> None:
        """A person has seen an alert; whoever is in control has seen it for all."""
        self.alerts.see(alert.id)
        self._alerts_changed([])
        if self.IN_CONTROL:
            self._remember("seen", lambda: acknowledge(self.session.folder.database, alert.id))

    def mute(self, alert: AlertRow) -> None:
        """A rule calls no longer, or again."""
        muted = alert.rule not in self.alerts.muted
        self.alerts.mute(alert.rule, muted=muted)
        self._alerts_changed([])
        if self.IN_CONTROL:
            store = self.session.folder.database
            self._remember("muted", lambda: mute(store, alert.rule, muted=muted))

    @work(thread=True, exit_on_error=False)
    def _remember(self, what: str, write: Callable[[], None]) -> None:
        try:
            write()
        except PuffError as error:
            title = f"Not kept as {what}"
            self.notify(str(error), title=title, severity="error", markup=False)

    # What a person does who may control the run; others have no keys for it.

    def command(self, command: Command) -> None:
        """Sends a command to the trainer."""
        raise NotImplementedError

    def settings(self) -> Mapping[str, float]:
        """The live settings by path, with their values."""
        return self.session.runner.latest.settings

    def action_pause_training(self) -> None:
        now, is_paused = self.session.clock(), self.session.runner.latest.phase is Phase.PAUSED
        paused = self._asked_to_pause.over(is_paused, now)
        self._asked_to_pause.ask(not paused, now)
        self.command(Resume() if paused else Pause())

    def action_checkpoint(self) -> None:
        self.command(Checkpoint())
        self.notify("It is written at the next epoch.", title="Checkpoint", timeout=2)

    def action_change_setting(self, chosen: str = "") -> None:
        values = self.settings()
        if values:
            self.app.push_screen(ChangeScreen(self.look, values, self.command, chosen))
        else:
            self.notify("Training has not begun, or has ended.", title="No setting to change")

    def action_undo_change(self) -> None:
        self.command(UndoChange())

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

    # The best checkpoint beside the newest policy.

    def action_rival(self) -> None:
        if self._frame is None:
            return
        if self._frame.rival is None:
            self._bring_rival()
        else:
            self._send(SetRival(None))

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _bring_rival(self) -> None:
        try:
            rival = best_policy(self.session.folder)
        except PuffError as error:
            self.notify(str(error), title="No rival", severity="warning", markup=False)
        else:
            self._send(SetRival(rival))

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
            self._follow_store()  # The checks speak of a whole run when it ends.
            self.app.push_screen(
                SummaryScreen(
                    self.look,
                    session.folder.id,
                    session.descriptor,
                    snapshot,
                    self.charting.history,
                    self.alerts.about_score,
                )
            )
