"""What a person does to a run that they may control: commands to the trainer, and notes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pufftui.envs.errors import PuffError
from pufftui.screens.controllers.player import PlayerController
from pufftui.screens.dialogs.ask import ChangeScreen, NoteScreen
from pufftui.screens.panels import PanelScreen
from pufftui.state.asked import Asked
from pufftui.state.session import RunSession
from pufftui.trainer.messages.command import Checkpoint, Command, Pause, Resume, UndoChange
from pufftui.trainer.messages.snapshot import Phase, Snapshot
from pufftui.trainer.store import add_note


class Steering(Protocol):
    """A way to the trainer of a run, in this process or another."""

    @property
    def settings(self) -> Mapping[str, float]:
        """The live settings by path, with their values."""

    def send(self, command: Command) -> None:
        """Passes a command on; it is obeyed between two epochs."""


class TrainingController:
    """Steers a run; those who only look on have none."""

    def __init__(
        self,
        screen: PanelScreen,
        session: RunSession,
        player: PlayerController,
        steering: Steering,
    ) -> None:
        self.steering, self.send = steering, steering.send
        self._screen, self._session, self._player = screen, session, player
        self._paused: bool | None = None
        self._asked_to_pause = Asked[bool]()

    def show(self, snapshot: Snapshot) -> None:
        """Takes in where the run is."""
        paused = snapshot.phase is Phase.PAUSED
        self._asked_to_pause.see(paused)
        if paused is not self._paused:
            self._paused = paused
            self._player.label(pause="resume training" if paused else "pause training")

    def pause(self) -> None:
        """Pauses training, or goes on."""
        now, is_paused = self._session.clock(), self._session.runner.latest.phase is Phase.PAUSED
        paused = self._asked_to_pause.over(is_paused, now)
        self._asked_to_pause.ask(not paused, now)
        self.send(Resume() if paused else Pause())

    def checkpoint(self) -> None:
        """Has a checkpoint written now."""
        self.send(Checkpoint())
        self._screen.notify("It is written at the next epoch.", title="Checkpoint", timeout=2)

    def change(self, chosen: str = "") -> None:
        """Asks for a new value of a setting, of the `chosen` one if there is one."""
        values, screen = self.steering.settings, self._screen
        if values:
            screen.app.push_screen(ChangeScreen(screen.look, values, self.send, chosen))
        else:
            screen.notify("Training has not begun, or has ended.", title="No setting to change")

    def undo(self) -> None:
        """Changes the last changed setting back."""
        self.send(UndoChange())

    def note(self) -> None:
        """Asks for a sentence to keep with the run."""
        self._screen.app.push_screen(NoteScreen(self._screen.look, self._write_note))

    def _write_note(self, text: str) -> None:
        database, step = self._session.folder.database, self._session.runner.latest.step
        notify = self._screen.notify

        def write() -> None:
            try:
                add_note(database, step, text)
            except PuffError as error:
                notify(
                    str(error), title="The note could not be kept", severity="error", markup=False
                )
            else:
                notify(text, title="Kept with the run", markup=False)

        self._screen.run_worker(write, thread=True, exit_on_error=False)
