"""Shows runs beside each other until the person leaves; no run is touched."""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from textual.app import App, SystemCommand
from textual.screen import Screen

from pufftui.envs.errors import PuffError, nearest
from pufftui.keys import COMPARE_KEYS
from pufftui.runs.comparison import Comparison, Grouping
from pufftui.screens.compare import CompareScreen
from pufftui.terminal import private_terminal
from pufftui.theme import DEFAULT_THEME, PuffTheme, css_variables, load_themes
from pufftui.trainer.run_folder import RunFolder

LOOKS_PER_SECOND = 10
INTERRUPTED = 130
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class CompareApp(App[None], inherit_bindings=False):
    """One screen with charts, and dialogs over it."""

    CSS_PATH = "app.tcss"
    TITLE = "pufftui"
    ALLOW_SELECT = False
    ENABLE_COMMAND_PALETTE = True

    def __init__(
        self,
        comparison: Comparison,
        folders: Sequence[RunFolder],
        grouping: Grouping,
        theme: str | None = None,
    ) -> None:
        """Raises `PuffError` for an unknown theme or a broken theme file."""
        self.looks = load_themes()
        super().__init__()
        name = theme or DEFAULT_THEME
        if name not in self.looks:
            raise PuffError(f"There is no theme {name}.", nearest(name, self.looks), usage=True)
        for look in self.looks.values():
            self.register_theme(look.to_textual())
        self.theme = name
        self.main = CompareScreen(self.look, comparison, grouping, lambda: Comparison.read(folders))
        self.signalled = False

    @property
    def look(self) -> PuffTheme:
        """The theme in use."""
        return self.looks[self.theme]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        standard = self.looks[DEFAULT_THEME]
        return {name: standard.colours[name] for name in css_variables()}

    def on_mount(self) -> None:
        self.push_screen(self.main)
        self.set_interval(1 / LOOKS_PER_SECOND, self.main.tick)
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self.on_signal)

    def on_signal(self) -> None:
        """SIGINT, SIGTERM or SIGHUP: leave."""
        self.signalled = True
        self.exit()

    def action_ask_to_quit(self) -> None:
        self.exit()

    def next_theme(self) -> None:
        """Changes to the theme after this one."""
        names = list(self.looks)
        self.wear(names[(names.index(self.theme) + 1) % len(names)])

    def wear(self, name: str) -> None:
        """Changes to a theme by name."""
        self.theme = name
        self.main.dress(self.look)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:  # noqa: ARG002
        for key in COMPARE_KEYS:
            if key.id != "palette":
                title = f"{key.short.capitalize()}  ({key.shown})"
                yield SystemCommand(
                    title, key.description, lambda action=key.action: self._do(action)
                )
        for look in self.looks.values():
            yield SystemCommand(
                f"Theme: {look.title}", "change the colours", lambda name=look.name: self.wear(name)
            )

    async def _do(self, action: str) -> None:
        await self.run_action(action, self.main)


def run_compare(
    comparison: Comparison, folders: Sequence[RunFolder], grouping: Grouping, theme: str | None
) -> int:
    """Compares on the terminal; the exit status: 0, 1 if the screen failed, 130 after a signal."""
    app = CompareApp(comparison, folders, grouping, theme)
    with tempfile.NamedTemporaryFile(
        prefix="pufftui-compare-", suffix=".txt", delete=False
    ) as file:
        log = Path(file.name)
    try:
        with private_terminal(log, f" while runs were compared\nWhat happened is in {log}\n"):
            app.run()
    finally:
        if not log.stat().st_size:
            log.unlink()
    if app.return_code:
        sys.stderr.write(f"The screen failed; what happened is in {log}\n")
        return 1
    return INTERRUPTED if app.signalled else 0
