"""How a program that took the terminal ends: what it says last, and its exit status."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Protocol

from pufftui.trainer.run.folder import RunFolder

INTERRUPTED = 130
"""Exit status after a signal."""


def last_words(folder: RunFolder) -> str:
    """What follows the name of a signal that ends the training of this run."""
    return (
        f" in run {folder.id}\nWhat happened is in {folder.log}\n"
        f"To go on from its last checkpoint: pufftui resume {folder.id}\n"
    )


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
