"""The dashboard of a run that this process trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from pufftui.appearance.theme import PuffTheme
from pufftui.keys.bindings import bindings
from pufftui.keys.tables import KEYS
from pufftui.screens.dialogs.quit import QuitScreen
from pufftui.screens.owner import TrainingOwner
from pufftui.screens.run import RunScreen
from pufftui.state.health import Health, health
from pufftui.state.session import Session, Trainer
from pufftui.trainer.messages.command import Command
from pufftui.trainer.messages.snapshot import Phase, Snapshot
from pufftui.trainer.monitor.system import GpuSampler, HostSampler


class OwnTrainer:
    """The way to the trainer of this process."""

    def __init__(self, runner: Trainer) -> None:
        self._runner = runner

    @property
    def settings(self) -> Mapping[str, float]:
        """The live settings by path, with their values."""
        return self._runner.latest.settings

    def send(self, command: Command) -> None:
        """Passes a command on."""
        self._runner.send(command)


class LiveScreen(RunScreen):
    """Controls the trainer; leaving ends it, so it asks."""

    KEYS = KEYS
    BINDINGS = bindings(KEYS)

    def __init__(
        self, session: Session, look: PuffTheme, host: HostSampler, gpu: GpuSampler
    ) -> None:
        super().__init__(session, look, host, gpu, steering=OwnTrainer(session.runner))
        self._live = session
        self._heard: tuple[Snapshot | None, float] = (None, 0.0)
        self._question: QuitScreen | None = None

    def health(self, snapshot: Snapshot, now: float) -> Health:
        if self._heard[0] is not snapshot:
            self._heard = snapshot, now
        return health(snapshot, now - self._heard[1], self.alerts.known)

    def phase_changed(self, before: Snapshot | None, snapshot: Snapshot) -> None:
        paused = snapshot.phase is Phase.PAUSED
        self.player.label(pause="resume training" if paused else "pause training")
        # A person who is leaving anyway is not bothered.
        if snapshot.phase.ended and not self._is_asking:
            self.show_end(snapshot)

    @property
    def _is_asking(self) -> bool:
        return self._question is not None and self.app.screen is self._question

    def action_quit(self) -> None:
        """Asks, unless training has already ended."""
        if self._live.runner.latest.phase.ended:
            self.app.exit()
        elif not self._is_asking:
            leave = cast("TrainingOwner", self.app).leave
            self._question = QuitScreen(self.look, self._live, leave)
            self.app.push_screen(self._question)

    def confirm_leaving(self) -> None:
        if self._question is not None and self._is_asking:
            self._question.action_confirm()
