"""Asks which charts shall be seen."""

from __future__ import annotations

from collections.abc import Callable

from rich.text import Text
from textual.widgets import Input

from pufftui.appearance.theme import PuffTheme
from pufftui.screens.dialogs.ask import AskScreen


class FilterScreen(AskScreen):
    """Shows the charts that match while one types; nothing typed shows all."""

    title_text = "Which charts?"
    shows_behind = True
    placeholder = "entropy, or reward*, or nothing for all"

    def __init__(self, look: PuffTheme, pattern: str, show: Callable[[str], None]) -> None:
        super().__init__(look)
        self._before, self._show = pattern, show

    def on_mount(self) -> None:
        self.line.value = self._before

    def body(self) -> Text:
        words = "Part of a name; * stands for any letters. The charts follow as you type."
        return self.ink((words, "dim", False))

    def on_input_changed(self, event: Input.Changed) -> None:
        self._show(event.value.strip())

    def take(self, text: str) -> None:
        self._show(text)

    def action_close(self) -> None:
        self._show(self._before)
        self.dismiss()
