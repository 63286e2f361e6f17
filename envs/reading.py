"""Reads small files that somebody else may have written, or put something else in the place of."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

LARGEST = 16 << 20
"""Bytes; no settings, notes or rules come near it."""


def read_small(path: Path, largest: int = LARGEST) -> bytes:
    """The bytes of a regular file; `OSError` for pipes and devices, which might never end, and for more.

    A link counts as what it leads to.
    """
    # Without waiting: a pipe that nobody writes to would let nobody open it either.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a file", str(path))
        found = file.read(largest + 1)
    if len(found) > largest:
        raise OSError(errno.EFBIG, "it is far too large", str(path))
    return found


def read_small_text(path: Path, errors: str = "strict") -> str:
    """The same as text; `ValueError` if it is not UTF-8 and `errors` is strict."""
    return read_small(path).decode(errors=errors).replace("\r\n", "\n")
