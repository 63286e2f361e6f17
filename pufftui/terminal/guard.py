"""Arms the C handler that says what happened, and restores the terminal, when native code ends the process."""

from __future__ import annotations

import ctypes
import faulthandler
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from pufftui.terminal.native import opened


class Guard:
    """What is done while a program is guarded."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library

    def say(self, message: str) -> None:
        """Changes what is said at the end of the process, after the name of its signal."""
        self._library.puff_guard_say(message.encode())

    def report(self, line: str) -> None:
        """Changes the last line of the reports."""
        self._library.puff_guard_report(line.encode())

    def suspect(self, library: Path, name: str) -> None:
        """Names whose code it was, and where, if the process ends in this library."""
        self._library.puff_guard_suspect(
            str(library).encode(errors="surrogateescape"), name.encode()
        )

    def listen(self) -> None:
        """Hears of a call of exit() before the libraries that are loaded by now clear up.

        A guard listens from its beginning; to be called again when more libraries are loaded.
        """
        self._library.puff_guard_listen()

    def give_back(self) -> None:
        """Restores the terminal now; what is still written to the screen goes nowhere."""
        self._library.puff_guard_give_back()


@contextmanager
def guarded(
    out: int, log: TextIO, message: str, *, is_screen: bool = True, reports: int = -1
) -> Iterator[Guard]:
    """While it lasts, a fatal signal, or a call of exit() by native code, is told on `out`.

    It is followed by `message`; a screen is restored before. A last line goes to `reports`. The stacks
    of all threads go to `log`. Raises `PuffError` if the library is missing.
    """
    library = _library()
    before = faulthandler.is_enabled()
    faulthandler.enable(log)
    armed = library.puff_guard_arm(out, is_screen, reports) == 0
    guard = Guard(library)
    guard.say(message)
    guard.listen()
    try:
        yield guard
    finally:
        if armed:
            library.puff_guard_disarm()
        faulthandler.disable()
        if before:
            faulthandler.enable()


def _library() -> ctypes.CDLL:
    library = opened("guard")
    library.puff_guard_arm.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int]
    library.puff_guard_arm.restype = ctypes.c_int
    for call in (
        library.puff_guard_disarm,
        library.puff_guard_give_back,
        library.puff_guard_listen,
    ):
        call.restype = None
    for call in (library.puff_guard_say, library.puff_guard_report, library.puff_guard_suspect):
        call.restype = None
    library.puff_guard_say.argtypes = library.puff_guard_report.argtypes = [ctypes.c_char_p]
    library.puff_guard_suspect.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    return library
