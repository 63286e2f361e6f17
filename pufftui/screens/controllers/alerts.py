"""Alerts of a run: the strip that calls, the bell, the list, and what a person says to them."""

from __future__ import annotations

from collections.abc import Callable

from pufftui.envs.errors import PuffError
from pufftui.screens.controllers.player import PlayerController
from pufftui.screens.controllers.training import TrainingController
from pufftui.screens.dialogs.alerts import AlertsScreen
from pufftui.screens.dialogs.critical import CriticalScreen, roll_back
from pufftui.screens.panels import PanelScreen
from pufftui.state.alerts import Alerts, level_of
from pufftui.state.session import RunSession
from pufftui.terminal.direct import write_control
from pufftui.terminal.notify import BELL, desktop
from pufftui.trainer.health import Level
from pufftui.trainer.messages.snapshot import Snapshot
from pufftui.trainer.store import AlertRow, StoreReader, acknowledge, mute
from pufftui.widgets.alert_strip import FLASH_SECONDS, AlertStrip


class AlertController:
    """Calls the person. Whoever controls the run by `training` may answer for everybody."""

    def __init__(
        self,
        screen: PanelScreen,
        session: RunSession,
        player: PlayerController,
        training: TrainingController | None,
    ) -> None:
        self.known = Alerts()
        self.strip = AlertStrip(screen.look)
        self._screen, self._session = screen, session
        self._player, self._training = player, training
        self._ended = False
        self._flash_until = 0.0

    @property
    def calling(self) -> list[AlertRow]:
        """What the strip shows: nothing of a run that has ended."""
        return [] if self._ended else self.known.calling

    def show(self, snapshot: Snapshot) -> None:
        """Takes in where the run is."""
        self._ended = snapshot.phase.ended

    def tick(self, now: float) -> None:
        """Called often."""
        if self.strip.is_on_screen:
            self.strip.show(self.calling, flash=now < self._flash_until)

    def poll(self, reader: StoreReader) -> list[AlertRow] | None:
        """Reads what is new: those that are not muted, or None if nothing is."""
        new = self.known.poll(reader)
        return None if new is None else [row for row in new if row.rule not in self.known.muted]

    def changed(self, new: list[AlertRow]) -> None:
        """The alerts are others now, these among them for the first time."""
        calls = [row for row in new if level_of(row) >= Level.WARNING and row.over_step is None]
        if calls and self.calling:
            self._flash_until = self._session.clock() + FLASH_SECONDS
            self._call(max(calls, key=level_of))
        if bool(self.calling) != self.strip.is_on_screen:
            self._screen.rearrange()

    def _call(self, alert: AlertRow) -> None:
        """Calls the person: a bell, and a notification if another window has the keyboard.

        Whoever is in control and not playing is asked what to do about something critical.
        """
        screen = self._screen
        words = (
            ""
            if screen.app.app_focus
            else desktop(screen.look.words(alert.title), screen.look.words(alert.text))
        )
        write_control(screen.app, BELL + words)
        free = screen.in_front and not self._player.playing
        if self._training is not None and free and level_of(alert) is Level.CRITICAL:
            ask = CriticalScreen(screen.look, alert, self._training.send, self.see)
            screen.app.push_screen(ask)

    # What a person does.

    def list(self) -> None:
        """Opens the list of all alerts."""
        training, screen = self._training, self._screen
        back = None if training is None else lambda alert: training.send(roll_back(alert))
        screen.app.push_screen(AlertsScreen(screen.look, self.known, self.see, self.mute, back))

    def see_all(self) -> None:
        """Marks all that call as seen."""
        for alert in self.calling:
            self.see(alert)

    def see(self, alert: AlertRow) -> None:
        """A person has seen an alert; whoever is in control has seen it for all."""
        self.known.see(alert.id)
        self.changed([])
        database = self._session.folder.database
        self._remember("seen", lambda: acknowledge(database, alert.id))

    def mute(self, alert: AlertRow) -> None:
        """A rule calls no longer, or again."""
        muted = alert.rule not in self.known.muted
        self.known.mute(alert.rule, muted=muted)
        self.changed([])
        database = self._session.folder.database
        self._remember("muted", lambda: mute(database, alert.rule, muted=muted))

    def _remember(self, what: str, write: Callable[[], None]) -> None:
        """Keeps with the run what was said by somebody who is in control."""
        if self._training is None:
            return

        def remember() -> None:
            try:
                write()
            except PuffError as error:
                title = f"Not kept as {what}"
                self._screen.notify(str(error), title=title, severity="error", markup=False)

        self._screen.run_worker(remember, thread=True, exit_on_error=False)
