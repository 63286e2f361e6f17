"""How a person wants the screen to be when it opens: what the flags of the command line say."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wishes:
    """`theme` of None is the one worn last; `ascii_only` of None is what the terminal can show."""

    theme: str | None = None
    ascii_only: bool | None = None
    stream: bool = False
    privacy: bool = False
