"""The keys of the screen that compares runs."""

from __future__ import annotations

from pufftui.keys.key import rows
from pufftui.keys.screen import PRIVACY_KEY, SCREEN_KEYS

COMPARE_KEYS = (
    *rows(
        "Chart",
        """
    previous_metric | left left_square_bracket   | ← | metric | the previous metric                                 | metric(-1) |
    next_metric     | right right_square_bracket | → | metric | the next metric                                   | metric(1)  | 2 ← →
    axis            | x                          | x | axis   | steps, time, episodes or updates along the x axis | axis       | 3
    grouping        | g                          | g | group  | seeds together, every run alone, or all as one    | grouping   | 4
    """,
    ),
    *rows(
        "Tables",
        """
    settings    | d      | d | differences | the settings that differ    | settings   | 5
    scroll_up   | up k   | ↑ | scroll      | scroll the differences up   | scroll(-1) |
    scroll_down | down j | ↓ | scroll      | scroll the differences down | scroll(1)  | 6 ↑ ↓
    """,
    ),
    *SCREEN_KEYS,
    PRIVACY_KEY,
    *rows(
        "Screen",
        """
    quit | q ctrl+c | q | leave | leave; no run is touched | quit | 1
    """,
    ),
)
"""What `pufftui runs compare` listens to."""
