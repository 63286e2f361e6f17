"""What the arena tells of a recording that has ended."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a recording: its file, or in `trouble` why there is none."""

    path: Path
    steps: int = 0
    human_steps: int = 0
    trouble: str = ""
