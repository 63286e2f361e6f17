"""What is said about a recording: on the screen when it is kept, on the terminal in the end."""

from __future__ import annotations

from pufftui.state.session import Stage


def farewell(arena: Stage) -> str:
    """A line that stays on the terminal if the last recording was kept, or could not be."""
    kept = None if arena.latest is None else arena.latest.kept
    if kept is None:
        return ""
    return f"{kept.trouble}\n" if kept.trouble else f"Demonstration kept: {kept.path}\n"
