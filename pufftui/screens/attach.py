"""The dashboard of a run that another process trains, with the controls: looking and touching."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text
from textual.binding import Binding

from pufftui.appearance.format import steps
from pufftui.appearance.theme import PuffTheme
from pufftui.keys.tables import ATTACH_KEYS, bindings
from pufftui.screens.dialogs.dialog import Dialog
from pufftui.screens.watch import WatchScreen
from pufftui.state.session import AttachSession
from pufftui.trainer.messages.command import Command, Stop
from pufftui.trainer.messages.snapshot import Phase, Snapshot


class AttachScreen(WatchScreen):
    """Commands go to the trainer's control socket; what comes of them is seen in the run."""

    ROLE = "attached"
    IN_CONTROL = True
    KEYS = ATTACH_KEYS
    BINDINGS = bindings(KEYS)
    session: AttachSession

    def tick(self) -> None:
        super().tick()
        for complaint in self.session.control.complaints():
            self.notify(complaint, title="Not done", severity="warning", markup=False)

    def command(self, command: Command) -> None:
        self.session.control.send(command)

    def settings(self) -> Mapping[str, float]:
        return self.session.control.settings

    def phase_changed(self, before: Snapshot | None, snapshot: Snapshot) -> None:
        super().phase_changed(before, snapshot)
        paused = snapshot.phase is Phase.PAUSED
        self._label(pause="resume training" if paused else "pause training")

    def action_quit(self) -> None:
        if self.session.runner.latest.phase.ended:
            self.app.exit()
        elif not isinstance(self.app.screen, LeaveScreen):
            self.app.push_screen(LeaveScreen(self.look, self.session))


class LeaveScreen(Dialog):
    """Whoever leaves may leave the run going, or stop it."""

    BINDINGS = [
        Binding("y,q,enter,ctrl+c", "confirm", "Leave", show=False, priority=True),
        Binding("s", "stop", "Stop the run", show=False),
        Binding("n", "close", "Stay", show=False),
    ]
    title_text = "Leave?"

    def __init__(self, look: PuffTheme, session: AttachSession) -> None:
        super().__init__(look)
        self._session = session

    def body(self) -> Text:
        snapshot, run = self._session.runner.latest, self._session.folder.id
        where = f" is at step {steps(snapshot.step)} of {steps(snapshot.total_steps)}"
        return self.ink(
            (run, "text", True),
            (f"{where} and goes on without you.\n\n", "dim", False),
            ("To come back:\n", "dim", False),
            (f"pufftui attach {run}", "policy", False),
        )

    def hints(self) -> list[tuple[str, str]]:
        return [("enter", "leave"), ("s", "stop the run"), ("esc", "stay")]

    def action_confirm(self) -> None:
        self.app.exit()

    def action_stop(self) -> None:
        self._session.control.send(Stop())
        self.notify("It writes a checkpoint and ends.", title="Stopping")
        self.dismiss()
