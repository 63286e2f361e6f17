"""How much room the disk of a run has, and what a run does without as it gets less."""

from __future__ import annotations

import shutil
import threading
from enum import IntEnum
from pathlib import Path

MEGABYTE = 1 << 20

EASE = 1.2
"""A disk has more room again once it would with so many times less."""


class Room(IntEnum):
    """From all that a run could want to none."""

    PLENTY = 0
    SCARCE = 1  # told, so that somebody can make room in time
    TIGHT = 2  # no samples of episodes, no readings of the machine, few rows of metrics
    NONE = 3  # no checkpoints: what is left is for the store


def room(free: int, total: int, checkpoint: int) -> Room:
    """The room of a disk with so many bytes; `checkpoint` is the size of the newest one."""
    if free < checkpoint + min(16 * MEGABYTE, total // 20):
        return Room.NONE
    if free < 3 * checkpoint + min(128 * MEGABYTE, total // 10):
        return Room.TIGHT
    if free < 10 * checkpoint + min(1024 * MEGABYTE, total // 5):
        return Room.SCARCE
    return Room.PLENTY


class DiskWatch:
    """The room where a run lies; any thread may look and read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self.room = Room.PLENTY
        self.free = 0
        self.checkpoint_size = 0

    def look(self) -> Room:
        """Asks the disk."""
        with self._lock:
            try:
                usage = shutil.disk_usage(self._folder)
            except OSError:
                return self.room
            self.free = usage.free
            found = room(usage.free, usage.total, self.checkpoint_size)
            if found < self.room:
                eased = int(usage.free / EASE)
                found = min(self.room, room(eased, usage.total, self.checkpoint_size))
            self.room = found
            return found

    def move(self, folder: Path) -> None:
        """Looks at another folder from now on: the run has moved."""
        self._folder = folder

    @property
    def warning(self) -> str:
        """What to know about the disk in a sentence or two; empty while there is plenty of room."""
        lost = {
            Room.SCARCE: "Soon the run will have to keep less.",
            Room.TIGHT: "Episodes and readings of the machine are no longer kept, and only few rows.",
            Room.NONE: "No more checkpoints are written; the last good one is kept.",
        }
        if self.room is Room.PLENTY:
            return ""
        free = f"{self.free / MEGABYTE:,.0f} MB"
        return f"The disk of {self._folder} has only {free} left. {lost[self.room]}"
