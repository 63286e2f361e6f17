"""Applications that look around and touch no run: one screen, and dialogs over it."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from pufftui.apps.base import SIGNALS, DressedApp
from pufftui.apps.ending import ending
from pufftui.screens.panels import PanelScreen
from pufftui.terminal.private import hung_up, passing_log

Result = TypeVar("Result")


class BrowsingApp(DressedApp[Result]):
    """Polls its screen; a signal ends it without a question, for there is nothing to lose."""

    LOOKS_PER_SECOND = 10
    main: PanelScreen
    signalled = False

    def on_mount(self) -> None:
        self.push_screen(self.main)
        self.set_interval(1 / self.LOOKS_PER_SECOND, self.main.tick)
        self.call_after_refresh(self.complain)
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self.on_signal)

    def on_signal(self) -> None:
        """SIGINT, SIGTERM or SIGHUP: leave."""
        self.signalled = True
        self.exit()

    @property
    def gone(self) -> bool:
        """Whether the terminal has gone away."""
        return hung_up()

    def action_ask_to_quit(self) -> None:
        self.exit()


def browse(app: BrowsingApp[Result], name: str, doing: str) -> int:
    """Shows it on the terminal; the exit status: 0, 1 if the screen failed, 130 after a signal.

    `doing` is what a fatal signal is said to have interrupted; `name` is in that of the log file.
    """
    with passing_log(f"pufftui-{name}-") as log:
        app.run_alone(log, f" while {doing}\nWhat happened is in {log}\n")
    return ending(app, log)
