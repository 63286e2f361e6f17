"""The dashboard of a run that this process trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from pufftui.appearance.theme import PuffTheme
from pufftui.keys.bindings import bindings
from pufftui.keys.tables import KEYS
from pufftui.screens.controllers.leaving import LeavingController
from pufftui.screens.dialogs.quit import QuitScreen
from pufftui.screens.owner import TrainingOwner
from pufftui.screens.run import RunScreen
from pufftui.state.health import Health, health
from pufftui.state.session import Session, Trainer
from pufftui.trainer.messages.command import Command
from pufftui.trainer.messages.snapshot import Snapshot
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
        leave = lambda answer: cast("TrainingOwner", self.app).leave(answer)  # noqa: E731
        self._leaving = LeavingController(
            self, session, lambda: QuitScreen(self.look, session, leave)
        )
        self._heard: tuple[Snapshot | None, float] = (None, 0.0)

    def health(self, snapshot: Snapshot, now: float) -> Health:
        if self._heard[0] is not snapshot:
            self._heard = snapshot, now
        return health(snapshot, now - self._heard[1], self.alerts.known)

    def phase_changed(self, before: Snapshot | None, snapshot: Snapshot) -> None:
        # A person who is leaving anyway is not bothered.
        if snapshot.phase.ended and not self._leaving.is_asking:
            self.show_end(snapshot)

    def action_quit(self) -> None:
        self._leaving.ask()

    def confirm_leaving(self) -> None:
        self._leaving.confirm()
