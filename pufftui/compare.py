"""Shows runs beside each other until the person leaves; no run is touched."""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from textual.app import SystemCommand
from textual.screen import Screen

from pufftui.dressed import DressedApp
from pufftui.keys import COMPARE_KEYS
from pufftui.privacy import own_secrets
from pufftui.runs.comparison import Comparison, Grouping
from pufftui.screens.compare import CompareScreen
from pufftui.trainer.run_folder import RunFolder
from pufftui.wishes import Wishes

LOOKS_PER_SECOND = 10
INTERRUPTED = 130
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class CompareApp(DressedApp[None], inherit_bindings=False):
    """One screen with charts, and dialogs over it."""

    main: CompareScreen

    def __init__(
        self,
        comparison: Comparison,
        folders: Sequence[RunFolder],
        grouping: Grouping,
        wishes: Wishes | None = None,
    ) -> None:
        """Raises `PuffError` for an unknown theme."""
        places = [folder.path.parent for folder in folders]
        super().__init__(wishes, own_secrets([folder.id for folder in folders], places))
        self.main = CompareScreen(self.look, comparison, grouping, lambda: Comparison.read(folders))
        self.signalled = False

    def on_mount(self) -> None:
        self.push_screen(self.main)
        self.set_interval(1 / LOOKS_PER_SECOND, self.main.tick)
        self.call_after_refresh(self.complain)
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self.on_signal)

    def on_signal(self) -> None:
        """SIGINT, SIGTERM or SIGHUP: leave."""
        self.signalled = True
        self.exit()

    def action_ask_to_quit(self) -> None:
        self.exit()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:  # noqa: ARG002
        for key in COMPARE_KEYS:
            if key.id != "palette":
                title = f"{key.short.capitalize()}  ({key.shown})"
                yield SystemCommand(
                    title, key.description, lambda action=key.action: self._do(action)
                )
        yield from self.theme_commands()

    async def _do(self, action: str) -> None:
        await self.run_action(action, self.main)


def run_compare(
    comparison: Comparison, folders: Sequence[RunFolder], grouping: Grouping, wishes: Wishes
) -> int:
    """Compares on the terminal; the exit status: 0, 1 if the screen failed, 130 after a signal."""
    app = CompareApp(comparison, folders, grouping, wishes)
    with tempfile.NamedTemporaryFile(
        prefix="pufftui-compare-", suffix=".txt", delete=False
    ) as file:
        log = Path(file.name)
    try:
        app.run_alone(log, f" while runs were compared\nWhat happened is in {log}\n")
    finally:
        if not log.stat().st_size:
            log.unlink()
    if app.return_code:
        sys.stderr.write(app.masked(f"The screen failed; what happened is in {log}\n"))
        return 1
    return INTERRUPTED if app.signalled else 0
