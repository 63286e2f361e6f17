"""Asks before what was hidden is shown again: hiding is one key, showing is a decision."""

from __future__ import annotations

from collections.abc import Callable

from rich.text import Text
from textual.binding import Binding

from pufftui.appearance.theme import PuffTheme
from pufftui.screens.dialogs.dialog import Dialog


class RevealScreen(Dialog):
    """Calls `reveal` if the person means it; the key that asked closes the question again."""

    BINDINGS = [
        Binding("y,enter", "reveal", "Show", show=False),
        Binding("v,n,q", "close", "Keep hidden", show=False),
    ]
    title_text = "Show names and paths again?"

    def __init__(self, look: PuffTheme, reveal: Callable[[], None]) -> None:
        super().__init__(look)
        self._reveal = reveal

    def body(self) -> Text:
        return self.ink(
            ("Everyone who sees this screen will see them:\n", "text", False),
            ("your name, this machine's name, folders, addresses.", "dim", False),
        )

    def hints(self) -> list[tuple[str, str]]:
        return [("enter", "show them"), ("esc", "keep them hidden")]

    def action_reveal(self) -> None:
        self.dismiss()
        self._reveal()
