"""Standard streams whose reader may go away."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TextIO, cast


def silence(stream: TextIO) -> None:
    """Sends whatever a stream still holds to nowhere, so that Python can end without complaint."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def in_background(stream: TextIO) -> bool:
    """Whether a shell has given the terminal of a stream to another program for now."""
    try:
        return os.tcgetpgrp(stream.fileno()) != os.getpgrp()
    except (OSError, ValueError):  # it is no terminal, or not the one that we are started from
        return False


def are_standard(output: TextIO, errors: TextIO) -> bool:
    """Whether two streams write to descriptors 1 and 2, as they do unless somebody has replaced them."""
    try:
        return (output.fileno(), errors.fileno()) == (1, 2)
    except (OSError, ValueError):
        return False


class Output:
    """A stream that may be closed by its reader: from then on nothing is written."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._open = True

    def write(self, text: str) -> None:
        """Writes at once, or not at all."""
        if not self._open:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            self._open = False
            silence(self._stream)


def masked(stream: TextIO, mask: Callable[[str], str]) -> TextIO:
    """A stream that shows no more than `mask` leaves of what is written to it."""
    return cast("TextIO", _Masked(stream, mask))


def masking(stream: TextIO) -> Callable[[str], str]:
    """What a stream does to a text before it is written."""
    mask: Callable[[str], str] = getattr(stream, "mask", str)
    return mask


class _Masked:
    def __init__(self, stream: TextIO, mask: Callable[[str], str]) -> None:
        self._stream, self.mask = stream, mask

    def write(self, text: str) -> int:
        self._stream.write(self.mask(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
