"""Asks before training stops, then shows that the checkpoint is being written."""

from __future__ import annotations

from collections.abc import Callable

from rich.text import Text
from textual.binding import Binding

from pufftui.appearance.format import figure, steps
from pufftui.appearance.glyphs import thin_bar
from pufftui.appearance.theme import PuffTheme
from pufftui.control.handover import HandOver
from pufftui.screens.dialogs.dialog import Dialog
from pufftui.state.session import Session
from pufftui.trainer.messages.command import Stop

PATIENCE = 2.0
"""Seconds that the screen waits for the trainer; what is left is waited for without a screen."""


class QuitScreen(Dialog):
    """Confirming sends Stop; the app ends when the trainer has, or when patience has."""

    BINDINGS = [
        Binding("y,q,enter,ctrl+c", "confirm", "Stop and leave", show=False, priority=True),
        Binding("d", "detach", "Leave it running", show=False),
        Binding("n", "close", "Go on", show=False),
    ]

    def __init__(
        self, look: PuffTheme, session: Session, leave: Callable[[HandOver | None], None]
    ) -> None:
        """`leave` is told that the person does, and what another process needs to go on."""
        super().__init__(look)
        self._session, self._leave = session, leave
        self._since: float | None = None
        self.hand_over: HandOver | None = None
        """The run goes on in another process, if the person wants that."""

    @property
    def title_text(self) -> str:  # type: ignore[override]
        if self.hand_over is not None:
            return "Leaving it running"
        return "Leaving" if self._since is not None else "Stop training and leave?"

    def body(self) -> Text:
        snapshot, run = self._session.runner.latest, self._session.folder.id
        if self._since is None:
            return self.ink(
                (run, "text", True),
                (
                    f" is at step {steps(snapshot.step)} of {steps(snapshot.total_steps)}",
                    "dim",
                    False,
                ),
                (
                    f", score {figure(snapshot.score)}.\n\n"
                    if snapshot.score is not None
                    else ".\n\n",
                    "dim",
                    False,
                ),
                ("If you stop it, it writes a checkpoint. To continue later:\n", "dim", False),
                (f"pufftui resume {run}\n\n", "policy", False),
                (
                    "If you leave it running, it goes on by itself. To come back:\n",
                    "dim",
                    False,
                ),
                (f"pufftui attach {run}", "policy", False),
            )
        waited = self._session.clock() - self._since
        full, empty = thin_bar(waited / PATIENCE, 40)
        return self.ink(
            ("Writing a checkpoint …\n\n", "dim", False),
            (full, "policy", False),
            (empty, "track", False),
            (f"\n\n{snapshot.activity or 'finishing the current epoch'}", "dim", False),
        )

    def hints(self) -> list[tuple[str, str]]:
        if self._since is not None:
            return [("", "a moment")]
        return [("enter", "stop and leave"), ("d", "leave it running"), ("esc", "stay")]

    def tick(self) -> None:
        """Looks whether the trainer is through."""
        if self._since is None:
            return
        waited = self._session.clock() - self._since
        if self._session.runner.join(0) or waited > PATIENCE:
            self.app.exit()
        else:
            self.paint()

    def action_detach(self) -> None:
        """The trainer ends here, at an epoch boundary, and another process goes on."""
        if self._since is None:
            self.hand_over = HandOver(self._session.folder, self._session.config.env)
            self.action_confirm()

    def action_confirm(self) -> None:
        if self._since is None:
            self._since = self._session.clock()
            self._session.runner.send(Stop())
            self._leave(self.hand_over)
            self.paint()

    def action_close(self) -> None:
        if self._since is None:
            super().action_close()
