"""The shape that all dialogs share: a panel of text in the middle, keys below it."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.renderables.blank import Blank
from textual.screen import ModalScreen
from textual.widgets import Static

from pufftui.appearance.theme import PuffTheme
from pufftui.terminal.paced import hides_behind

TEXT_WIDTH = 70
"""Columns that lines of text may take: what a terminal of 80 leaves beside the frame and a scrollbar."""


class Dialog(ModalScreen[None]):
    """A modal screen with a title, a text and a line of keys; `paint` fills them in."""

    BINDINGS = [
        Binding("escape", "close", "Close", show=False, priority=True),
        Binding("ctrl+c", "app.ask_to_quit", "Quit", show=False, priority=True),
        Binding("v", "app.hide", "Hide names", show=False),
    ]
    title_text = ""
    shows_behind = False
    """Whether it acts on what lies behind it, so that a slow line has to show that, too."""

    def __init__(self, look: PuffTheme) -> None:
        super().__init__()
        self.look = look

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(id="title")
            with VerticalScroll(id="scroll"):
                yield Static(id="body")
            yield from self.below()
            yield Static(id="keys")

    def below(self) -> ComposeResult:
        """What stands between the text and the keys, if anything."""
        return ()

    def on_mount(self) -> None:
        self.paint()

    def render(self) -> RenderableType:
        """What lies behind, dimmed; nothing where a slow line leaves it as it is, for that takes long to draw."""
        if not hides_behind(self.app):
            return super().render()
        return Blank(self.styles.background.with_alpha(1))  # type: ignore[return-value]

    def body(self) -> Text:
        """What the dialog says."""
        raise NotImplementedError

    def hints(self) -> list[tuple[str, str]]:
        """The keys at the bottom: (key, what it does)."""
        return [("esc", "close")]

    def paint(self) -> None:
        """Draws all texts again, once they are there."""
        if not self.query("#body"):
            return
        self.query_one("#title", Static).update(self.ink((self.title_text, "text", True)))
        self.query_one("#body", Static).update(self.body())
        keys: list[tuple[str, str, bool]] = []
        for key, label in self.hints():
            keys += [(key, "policy", True), (f" {label}    ", "dim", False)]
        self.query_one("#keys", Static).update(self.ink(*keys))

    def dress(self, look: PuffTheme) -> None:
        """Changes to another theme, or to what may be seen now."""
        self.look = look
        self.paint()

    def ink(self, *parts: tuple[str, str, bool]) -> Text:
        """Text from (text, colour, bold)."""
        text = Text()
        for words, colour, bold in parts:
            style = f"{'bold ' if bold else ''}{self.look.colours[colour]}"
            text.append(self.look.words(words), style)
        return text

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Closes this dialog, once: a late key or click would close what lies below."""
        return super().dismiss(result) if self.is_active else AwaitComplete()

    def action_close(self) -> None:
        self.dismiss()
