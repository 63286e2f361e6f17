"""Looks whether memory that native code points to is there, before anybody reads it.

A descriptor whose counts are too high points behind its tables. Reading there would end the process; the
system, asked to copy such memory into a pipe, only says no.
"""

from __future__ import annotations

import os
from typing import Any

PAGE = 4096
"""Bytes; no system has smaller pages, and a pipe takes as many at once."""
LONGEST_TEXT = 1 << 16


def is_readable(ffi: Any, pointer: Any, size: int) -> bool:
    """Whether `size` bytes from a cffi pointer on can be read."""
    return _copied(ffi, int(ffi.cast("uintptr_t", pointer)), size, until_zero=False)


def is_text(ffi: Any, pointer: Any) -> bool:
    """Whether a C string begins there, and ends before very long."""
    return _copied(ffi, int(ffi.cast("uintptr_t", pointer)), LONGEST_TEXT, until_zero=True)


def _copied(ffi: Any, start: int, size: int, *, until_zero: bool) -> bool:
    """Whether that much can be copied page by page, or up to the first byte of zero."""
    source, sink = os.pipe()
    try:
        place, end = start, start + size
        while place < end:
            length = min(end, place // PAGE * PAGE + PAGE) - place
            written = os.write(sink, ffi.buffer(ffi.cast("char*", place), length))
            if b"\0" in os.read(source, written) and until_zero:
                return True
            place += written
    except OSError:
        return False
    finally:
        os.close(source)
        os.close(sink)
    return not until_zero
