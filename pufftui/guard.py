"""Arms the C handler that restores the terminal when the process dies of a signal."""

from __future__ import annotations

import ctypes
import faulthandler
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from pufftui.native import opened


@contextmanager
def guarded(terminal: int, log: TextIO, message: str) -> Iterator[Callable[[str], None]]:
    """While it lasts, a fatal signal restores `terminal` and prints `message` there.

    What it gives is a function that changes the message. The stacks of all threads go to `log`.
    Raises `PuffError` if the library is missing.
    """
    library = _library()
    before = faulthandler.is_enabled()
    faulthandler.enable(log)
    armed = library.puff_guard_arm(terminal, message.encode()) == 0
    try:
        yield lambda other: library.puff_guard_say(other.encode())
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
    library.puff_guard_say.argtypes = [ctypes.c_char_p]
    library.puff_guard_say.restype = None
    return library
