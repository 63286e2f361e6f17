"""One thing that a key does, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """One thing a key does. `action` is run by the screen.

    `footer` is its rank in the footer, 0 leaves it out; `footer_shown` names a pair of keys there.
    """

    id: str
    keys: tuple[str, ...]
    shown: str
    short: str
    description: str
    group: str
    action: str
    footer: int = 0
    footer_shown: str = ""
    while_playing: bool = False
