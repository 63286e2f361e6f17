"""Arms the C handler that restores the terminal when the process dies of a signal."""

from __future__ import annotations

import ctypes
import faulthandler
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from pufftui.terminal.native import opened


class Guard:
    """What is done while a terminal is guarded."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library

    def say(self, message: str) -> None:
        """Changes what a fatal signal leaves on the terminal."""
        self._library.puff_guard_say(message.encode())

    def give_back(self) -> None:
        """Restores the terminal now; what is still written to the screen goes nowhere."""
        self._library.puff_guard_give_back()


@contextmanager
def guarded(terminal: int, log: TextIO, message: str) -> Iterator[Guard]:
    """While it lasts, a fatal signal restores `terminal` and prints `message` there.

    The stacks of all threads go to `log`. Raises `PuffError` if the library is missing.
    """
    library = _library()
    before = faulthandler.is_enabled()
    faulthandler.enable(log)
    armed = library.puff_guard_arm(terminal, message.encode()) == 0
    try:
        yield Guard(library)
    finally:
        if armed:
            library.puff_guard_disarm()
        faulthandler.disable()
        if before:
            faulthandler.enable()


def _library() -> ctypes.CDLL:
    library = opened("guard")
    library.puff_guard_arm.argtypes = [ctypes.c_int, ctypes.c_char_p]
    library.puff_guard_arm.restype = ctypes.c_int
    library.puff_guard_disarm.restype = None
    library.puff_guard_give_back.restype = None
    library.puff_guard_say.argtypes = [ctypes.c_char_p]
    library.puff_guard_say.restype = None
    return library
