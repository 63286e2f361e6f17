"""An exception out of a screen: in full in the log, and the terminal fit for use again.

Textual ends the application then, and prints an excerpt once it has. That is too late where its
driver is what broke, and says too little. This file relies on how it reports exceptions.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import traceback
from contextlib import suppress
from typing import Any, TypeVar

from rich.console import Console, RenderableType
from textual.app import App
from textual.worker import WorkerFailed

from pufftui.terminal.private import hung_up
from pufftui.terminal.signals import handling

Result = TypeVar("Result")

BY_TEXTUAL = (signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH)
"""Signals whose handlers Textual leaves behind, where they would fail without its loop."""

STACK_WIDTH = 120


class CrashingApp(App[Result], inherit_bindings=False):
    """Knows whether a person has left it, or whether it has crashed."""

    crashed = left = False

    def exit(
        self,
        result: Result | None = None,
        return_code: int = 0,
        message: RenderableType | None = None,
    ) -> None:
        self.left = True
        super().exit(result, return_code, message)

    def panic(self, *renderables: RenderableType) -> None:
        """Called when the thread that reads the keyboard has ended, with the stack of it."""
        self.crashed = True
        text = io.StringIO()
        Console(file=text, width=STACK_WIDTH, color_system=None).print(*renderables)
        write_down(text.getvalue())
        super().panic()

    def crash(self, error: BaseException) -> None:
        """Notes that an exception ends the screen; of a terminal that has gone away, only that."""
        self.crashed = True
        if isinstance(error, WorkerFailed):
            error = error.error
        if not hung_up():
            write_down("".join(traceback.format_exception(error)))

    def _handle_exception(self, error: Exception) -> None:
        """Textual's way, without an excerpt of the stack, which may be long in the making or fail."""
        self.crash(error)
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self._close_messages_no_wait()

    def run_to_its_end(self) -> None:
        """Runs; whatever comes out of it but an interrupt is a crash."""
        # Textual would keep for itself what is printed, as by threads that end with an exception.
        for name, stream in (("_capture_stdout", sys.stdout), ("_capture_stderr", sys.stderr)):
            setattr(self, name, stream)
        with handling({number: signal.getsignal(number) for number in BY_TEXTUAL}):
            try:
                self.run()
            except Exception as error:  # noqa: BLE001 - the driver's, or from the end of a screen
                self.crash(error)
        if not (self.left or self.crashed):
            self.crashed = True
            write_down("The screen ended, though nobody closed it.\n")
        if self.crashed:
            self._end_driver()

    def _end_driver(self) -> None:
        """Ends the threads that read the keyboard and write, if the driver did not come to that."""
        driver: Any = self._driver
        ended, writer = getattr(driver, "exit_event", None), getattr(driver, "_writer_thread", None)
        if ended is not None:
            ended.set()
        if writer is not None and writer.is_alive():
            writer.stop()


def write_down(text: str) -> None:
    """Writes to descriptor 2, which leads to the log while a screen has the terminal."""
    with suppress(OSError):
        os.write(2, text.encode(errors="replace"))
