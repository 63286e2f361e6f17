"""How the threads of a process take turns at Python's interpreter, of which there is one lock."""

from __future__ import annotations

import sys

TURN = 1e-4
"""Seconds for which a thread keeps the lock while another one waits for it; Python's own 5e-3 is half an epoch."""


def take_short_turns() -> None:
    """For this process.

    The trainer wants the lock for some microseconds between two calls, and the screen works through a redraw with it
    for milliseconds: each call that comes back would wait for the rest of the redraw.
    """
    sys.setswitchinterval(TURN)
