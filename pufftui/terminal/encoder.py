"""Pictures as the bytes that a terminal shows, made in C (picture.c)."""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import numpy as np

from pufftui.terminal.native import opened
from pufftui.terminal.pictures import Pixels


def changes(
    before: Pixels | None, pixels: Pixels, column: int, row: int, turn: int
) -> tuple[str, Pixels]:
    """What to write where a terminal shows `before`, and what it then shows: nearly `pixels`.

    All are (2 * rows, width, 3) of uint8. Each channel may be wrong by 3 where none of the four neighbours
    differs by more than 1; elsewhere by less than half of the largest difference, and by at most 3 and
    a fifth of it. `turn` counts pictures: after 20 that are alike, nothing is wrong. The upper left cell is
    at `column`, `row` of the screen, from 0. A picture of another size, or none, is written anew; nothing
    is written if what is there is near enough.
    """
    library = _library()
    height, width, _ = pixels.shape
    pixels = np.ascontiguousarray(pixels)
    known = before is not None and before.shape == pixels.shape
    shown = np.array(before, order="C") if known else np.empty_like(pixels)
    out = ctypes.create_string_buffer(library.puff_picture_room(width, height // 2))
    work = ctypes.create_string_buffer(library.puff_picture_work(width))
    size: list[int] = [width, height // 2, column + 1, row + 1, turn]
    length = library.puff_picture_write(
        shown.ctypes.data, known, pixels.ctypes.data, *size, work, out
    )
    shown.flags.writeable = False
    return ctypes.string_at(out, length).decode(), shown


@functools.cache
def _library() -> ctypes.PyDLL:
    library = opened("picture")
    library.puff_picture_room.argtypes = [ctypes.c_int, ctypes.c_int]
    library.puff_picture_room.restype = ctypes.c_size_t
    library.puff_picture_work.argtypes = [ctypes.c_int]
    library.puff_picture_work.restype = ctypes.c_size_t
    pictures: list[Any] = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
    work = [ctypes.c_char_p, ctypes.c_char_p]
    library.puff_picture_write.argtypes = [*pictures, *[ctypes.c_int] * 5, *work]
    library.puff_picture_write.restype = ctypes.c_size_t
    return library
