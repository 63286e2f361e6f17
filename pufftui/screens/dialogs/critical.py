"""Asks what shall be done about a critical alert. Training goes on until somebody answers."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from rich.text import Text
from textual.binding import Binding

from pufftui.appearance.format import steps
from pufftui.appearance.theme import PuffTheme
from pufftui.screens.dialogs.dialog import Dialog
from pufftui.state.alerts import can_roll_back
from pufftui.trainer.messages.command import Command, Pause, RollBack
from pufftui.trainer.store import AlertRow

WIDTH = 68
FACTOR = 0.5
"""What a roll-back makes of the learning rate."""


def roll_back(alert: AlertRow) -> RollBack:
    """The command that goes back to before an alert's trouble began."""
    since = alert.evidence.get("since_step")
    before = since if isinstance(since, int) else alert.step
    return RollBack(before, FACTOR, alert.title)


class CriticalScreen(Dialog):
    """One alert and the ways out of it."""

    BINDINGS = [
        Binding("r", "roll_back", "Roll back", show=False),
        Binding("p", "pause", "Pause", show=False),
        Binding("enter,g", "close", "Go on", show=False),
    ]

    def __init__(
        self,
        look: PuffTheme,
        alert: AlertRow,
        command: Callable[[Command], None],
        seen: Callable[[AlertRow], None],
    ) -> None:
        super().__init__(look)
        self.alert = alert
        self._command, self._seen = command, seen

    @property
    def title_text(self) -> str:  # type: ignore[override]
        return f"✕ {self.alert.title}"

    def body(self) -> Text:
        alert, words = self.alert, self.look.words
        since = alert.evidence.get("since_step")
        when = f" Since step {steps(since)}." if isinstance(since, int) else ""
        way = (
            "Roll back: return to the last healthy checkpoint before that, with half the learning rate."
            " What came after it stays in the store and on the charts."
            if can_roll_back(alert)
            else "Pause: nothing is lost, and you have time to look."
        )
        return self.ink(
            (f"{textwrap.fill(words(alert.text) + when, WIDTH)}\n\n", "text", False),
            (f"{textwrap.fill(words(alert.advice), WIDTH)}\n\n", "dim", False),
            (textwrap.fill(way, WIDTH), "policy", False),
        )

    def hints(self) -> list[tuple[str, str]]:
        first = [("r", "roll back")] if can_roll_back(self.alert) else []
        return [*first, ("p", "pause"), ("enter", "carry on unchanged")]

    def action_roll_back(self) -> None:
        if can_roll_back(self.alert):
            self._answer(roll_back(self.alert))

    def action_pause(self) -> None:
        self._answer(Pause())

    def action_close(self) -> None:
        self._seen(self.alert)
        self.dismiss()

    def _answer(self, command: Command) -> None:
        self._command(command)
        self.action_close()
