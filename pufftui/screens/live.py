"""The dashboard of a run that this process trains."""

from __future__ import annotations

from pufftui.keys.tables import KEYS, bindings
from pufftui.screens.dialogs.quit import QuitScreen
from pufftui.screens.run import RunScreen
from pufftui.state.health import Health, health
from pufftui.state.session import Session
from pufftui.trainer.messages.command import Command
from pufftui.trainer.messages.snapshot import Phase, Snapshot


class LiveScreen(RunScreen):
    """Controls the trainer; leaving ends it, so it asks."""

    IN_CONTROL = True
    KEYS = KEYS
    BINDINGS = bindings(KEYS)
    session: Session
    _heard: tuple[Snapshot | None, float] = (None, 0.0)

    def health(self, snapshot: Snapshot, now: float) -> Health:
        if self._heard[0] is not snapshot:
            self._heard = snapshot, now
        return health(snapshot, now - self._heard[1], self.alerts)

    def phase_changed(self, before: Snapshot | None, snapshot: Snapshot) -> None:
        paused = snapshot.phase is Phase.PAUSED
        self._label(pause="resume training" if paused else "pause training")
        # A person who is leaving anyway is not bothered.
        if snapshot.phase.ended and not isinstance(self.app.screen, QuitScreen):
            self.show_end(snapshot)

    # What the person does.

    def command(self, command: Command) -> None:
        self.session.runner.send(command)

    def action_quit(self) -> None:
        """Asks, unless training has already ended."""
        if self.session.runner.latest.phase.ended:
            self.app.exit()
        elif not isinstance(self.app.screen, QuitScreen):
            self.app.push_screen(QuitScreen(self.look, self.session, self.owner.leave))
