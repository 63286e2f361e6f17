"""Keeps the terminal for the dashboard alone: whatever else is printed goes to the run's log."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pufftui.envs.errors import PuffError
from pufftui.guard import guarded


@contextmanager
def private_terminal(log: Path, message: str) -> Iterator[None]:
    """Descriptors 1 and 2 lead to `log`, and Textual is given the terminal, until the end.

    Textual writes to `sys.__stderr__` and asks `sys.__stdout__` for the size. Native code writes to
    the descriptors, so both kinds of output are kept apart. `message` is what a fatal signal leaves
    on the terminal, after its name. Raises `PuffError` without a terminal.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise PuffError(
            "The dashboard needs a terminal.", "To train without one, add --headless.", usage=True
        )
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(1), os.dup(2)]
    streams = sys.__stdout__, sys.__stderr__
    with (
        os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace") as screen,
        log.open("a", buffering=1, encoding="utf-8") as file,
    ):
        sys.__stdout__ = sys.__stderr__ = screen  # type: ignore[misc]
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            with guarded(screen.fileno(), file, message):
                yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            sys.__stdout__, sys.__stderr__ = streams  # type: ignore[misc]
            for descriptor, copy in zip((1, 2), saved, strict=True):
                os.dup2(copy, descriptor)
                os.close(copy)
