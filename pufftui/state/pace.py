"""How many frames of the game a second the machine can spare while it trains."""

from __future__ import annotations

from pufftui.trainer.arena.arena import FRAMES_PER_SECOND

MOST, LEAST = FRAMES_PER_SECOND, 10.0
"""Frames a second."""

SHARE = 0.0175
"""Of all cores' time, what the screen and the arena may take. Training loses more than they take, for
it uses all cores at once and waits where one is missing."""

PERIOD = 2.0
"""Seconds between two looks."""

WORTH_IT = 0.1
"""A change by a smaller share is left out, so that the rate is not restless."""


class Pace:
    """Lowers the rate while more is spent than may be, and raises it again."""

    def __init__(self, cores: int) -> None:
        self._allowed = SHARE * cores
        self._since: tuple[float, float] | None = None
        self.rate = MOST

    def follow(self, now: float, spent: float, *, free: bool) -> float:
        """Frames a second from now on.

        `spent` counts the seconds of processor time that screen and arena have taken so far; `free`
        says that nothing is to be spared, for nothing trains or a person plays.
        """
        if free:
            self._since, self.rate = None, MOST
        elif self._since is None:
            self._since = now, spent
        elif now - self._since[0] >= PERIOD:
            taken = (spent - self._since[1]) / (now - self._since[0])
            self._since = now, spent
            wanted = min(MOST, max(LEAST, self.rate * self._allowed / max(taken, 1e-6)))
            if abs(wanted - self.rate) > WORTH_IT * self.rate or wanted in (MOST, LEAST):
                self.rate = wanted
        return self.rate
