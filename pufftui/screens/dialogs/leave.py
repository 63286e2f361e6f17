"""Asks whether a run that another process trains goes on without the person, or stops."""

from __future__ import annotations

from rich.text import Text
from textual.binding import Binding

from pufftui.appearance.format import steps
from pufftui.appearance.theme import PuffTheme
from pufftui.screens.dialogs.dialog import Dialog
from pufftui.state.session import AttachSession
from pufftui.trainer.messages.command import Stop


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
