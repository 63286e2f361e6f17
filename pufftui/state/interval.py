"""What is looked at now and then, by a clock in seconds."""

from __future__ import annotations

import math


class Interval:
    """Due at once, and again when `every` seconds have passed."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._next = -math.inf

    def is_due(self, now: float) -> bool:
        """Whether it is time; then it is not for a while."""
        if now < self._next:
            return False
        self._next = now + self._every
        return True

    def reset(self) -> None:
        """It is due at once."""
        self._next = -math.inf
