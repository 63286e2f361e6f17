"""How a program that took the terminal ends: what it says last, and its exit status."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Protocol

INTERRUPTED = 130
"""Exit status after a signal."""


class Ended(Protocol):
    """An application that has given the terminal back."""

    crashed: bool
    signalled: bool

    @property
    def gone(self) -> bool:
        """Whether the terminal has gone away."""

    def masked(self, text: str) -> str:
        """A text without what must not be seen."""


def ending(app: Ended, log: Path, told: str = "", beside: str = "") -> int:
    """The exit status: 0, 1 if the screen crashed, which is said, or 130 after a signal.

    `told` is said in any case; `beside` is what to know besides after a crash.
    """
    crashed = app.crashed and not app.gone
    if crashed:
        told += f"The screen crashed. {beside}What happened is in {log}\n"
    if told:
        sys.stderr.write(app.masked(told))
    if crashed:
        return 1
    return INTERRUPTED if app.signalled or app.gone else 0
