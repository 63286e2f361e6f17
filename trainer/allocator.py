"""How the C library hands out memory, set so that training reuses what it had.

Every epoch takes and returns the same large arrays. By default glibc gives such memory back to the
system and asks for it again, and the system clears every page anew: a quarter of the time.
"""

from __future__ import annotations

import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8
"""Numbers of glibc's mallopt(3)."""

NEVER = 2**30
"""Bytes; less than this in one piece is kept for the next use."""


def keep_freed_memory() -> None:
    """For this process; call it before the threads that it matters for begin. Only for glibc."""
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        # Threads otherwise get pools of their own, which give back more than the first one does.
        mallopt(ARENA_MAX, 1)
        mallopt(MMAP_THRESHOLD, NEVER)
        mallopt(TRIM_THRESHOLD, NEVER)
