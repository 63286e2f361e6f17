"""What a terminal shows and what it is to show, cell by cell, kept in C (screen.c, send.c)."""

from __future__ import annotations

import ctypes
import functools
import weakref
from typing import Any

from textual.geometry import Region, Size

from pufftui.terminal.native import opened

LEAST_ROOM = 128
"""Bytes that `send` needs to say anything."""


class Grids:
    """Reads what the app writes, and says what is left to be sent of it.

    The terminal is not known at first: then everything is to be sent.
    """

    def __init__(self, size: Size) -> None:
        self.size = size
        self._library = _library()
        self._screen = self._library.puff_screen_new(size.width, size.height)
        if not self._screen:
            raise MemoryError
        weakref.finalize(self, self._library.puff_screen_free, self._screen)

    def write(self, text: str, *, through: bool) -> str:
        """Takes up what the app has written; what of it is not about cells is returned.

        `through`: the terminal is sent the same text, and so is known to show it.
        """
        data = text.encode(errors="replace")
        out = ctypes.create_string_buffer(len(data) + 1)
        length = self._library.puff_screen_write(self._screen, data, len(data), through, out)
        return out.raw[:length].decode(errors="replace")

    def order(self, part: Region) -> None:
        """Makes what is wanted now due in a part of the screen; until then, what was before is."""
        self._library.puff_screen_order(self._screen, *part)

    def send(self, part: Region, hole: Region, room: int, *, text: bool, erases: bool) -> bytes:
        """What shows what is due in a part of the screen without a hole, in at most `room` bytes.

        Empty once all of it is shown. `text`: what looks alike is sent together. `erases`: the terminal
        erases in the colour that is behind.
        """
        if room < LEAST_ROOM or not part.area:
            return b""
        out = ctypes.create_string_buffer(room)
        gap = (ctypes.c_int * 4)(*hole)
        length = self._library.puff_screen_send(self._screen, *part, gap, text, erases, room, out)
        return out.raw[:length]


@functools.cache
def width(letter: str) -> int:
    """Cells that a letter takes: 0, 1 or 2."""
    cells: int = _library().puff_screen_width(ord(letter))
    return cells


@functools.cache
def _library() -> ctypes.PyDLL:
    library = opened("screen")
    screen: list[Any] = [ctypes.c_void_p]
    numbers: list[Any] = [ctypes.c_int] * 4
    library.puff_screen_new.argtypes = numbers[:2]
    library.puff_screen_new.restype = ctypes.c_void_p
    library.puff_screen_free.argtypes = screen
    library.puff_screen_order.argtypes = screen + numbers
    for call in (library.puff_screen_free, library.puff_screen_order):
        call.restype = None
    library.puff_screen_width.argtypes = [ctypes.c_uint32]
    text: list[Any] = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_char_p]
    library.puff_screen_write.argtypes = screen + text
    library.puff_screen_write.restype = ctypes.c_size_t
    hole = [ctypes.c_void_p, *numbers[:2], ctypes.c_size_t, ctypes.c_char_p]
    library.puff_screen_send.argtypes = screen + numbers + hole
    library.puff_screen_send.restype = ctypes.c_size_t
    return library
