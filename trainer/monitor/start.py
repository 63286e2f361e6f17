"""What the start of a run spends its time on, from the process's first moment to the first epoch's end."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil

LONGEST_START = 600.0
"""Seconds; no process takes longer before it trains."""

STARTED = 19
"""The place behind a process's name of the tick at which it started, in Linux's /proc/PID/stat."""


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


def process_age() -> float:
    """Seconds since this process started; 0 if nobody knows, or a clock that was set in between says nonsense."""
    try:
        age = _age_by_boot()
    except (OSError, ValueError, IndexError, AttributeError):  # Not on Linux.
        age = time.time() - psutil.Process().create_time()
    return age if 0 <= age < LONGEST_START else 0.0


def _age_by_boot() -> float:
    """By ticks since the machine began, as Linux counts them.

    As a date they are up to a second early, being added to the whole second of the beginning, or more where the
    date was set after that.
    """
    said = Path("/proc/self/stat").read_text(errors="replace")
    fields = said[said.rindex(")") + 1 :].split()
    ticks = int(fields[STARTED]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks
