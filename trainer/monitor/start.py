"""What the start of a run spends its time on, from the process's first moment to the first epoch's end."""

from __future__ import annotations

import time


class Start:
    """Notes when each phase of a start has ended; `began` is when the process started (time.monotonic)."""

    def __init__(self, began: float) -> None:
        self.began = began
        self._ends: dict[str, float] = {}

    def ended(self, phase: str) -> None:
        """A phase is over, and the next one begins."""
        self._ends[phase] = time.monotonic() - self.began

    def __str__(self) -> str:
        """One line: the seconds of each phase, and of all together."""
        parts, before = [], 0.0
        for phase, end in self._ends.items():
            parts.append(f"{phase} {end - before:.2f} s")
            before = end
        return f"The start took {before:.2f} s: {', '.join(parts)}."
