"""Pictures as the bytes that a terminal shows, made in C (picture.c)."""

from __future__ import annotations

import ctypes
import functools

import numpy as np

from pufftui.terminal.native import opened
from pufftui.terminal.pictures import Pixels


def changes(before: Pixels | None, pixels: Pixels, column: int, row: int) -> str:
    """What to write so that `pixels` (2 * rows, width, 3) stand where `before` stood.

    The upper left cell is at `column`, `row` of the screen, from 0. A picture of another size, or
    none, is written anew; empty if nothing changed.
    """
    library = _library()
    height, width, _ = pixels.shape
    pixels = np.ascontiguousarray(pixels)
    same = before is not None and before.shape == pixels.shape
    out = ctypes.create_string_buffer(library.puff_picture_room(width, height // 2))
    old = np.ascontiguousarray(before).ctypes.data if same else None
    length = library.puff_picture_write(
        old, pixels.ctypes.data, width, height // 2, column + 1, row + 1, out
    )
    return ctypes.string_at(out, length).decode()


@functools.cache
def _library() -> ctypes.CDLL:
    library = opened("picture")
    library.puff_picture_room.argtypes = [ctypes.c_int, ctypes.c_int]
    library.puff_picture_room.restype = ctypes.c_size_t
    pointers = [ctypes.c_void_p, ctypes.c_void_p]
    library.puff_picture_write.argtypes = [*pointers, *[ctypes.c_int] * 4, ctypes.c_char_p]
    library.puff_picture_write.restype = ctypes.c_size_t
    return library
