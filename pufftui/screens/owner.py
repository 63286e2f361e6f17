"""What screens ask of the application they belong to."""

from __future__ import annotations

from typing import Protocol

from pufftui.control.handover import HandOver


class Owner(Protocol):
    """An application that can be dressed; screens know no more of it."""

    def next_theme(self) -> None:
        """Changes to the theme after this one."""

    def toggle_privacy(self) -> None:
        """Hides names and paths, or asks whether to show them again."""

    def set_privacy(self, *, private: bool) -> None:
        """Hides names and paths, or shows them again."""

    def action_command_palette(self) -> None:
        """Opens the palette of all commands."""


class TrainingOwner(Owner, Protocol):
    """An application that trains a run, which goes on or ends when the person leaves."""

    def leave(self, hand_over: HandOver | None) -> None:
        """The person leaves; with `hand_over` the run goes on in another process."""
