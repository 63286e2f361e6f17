"""Time and noise: whether something has lasted, and what is usual for a stream of values."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from pufftui.trainer.health.moment import Moment, Reading

ROBUST = 1.4826
"""The standard deviation of a normal distribution, in median absolute deviations."""


class Spell:
    """How long something has been going on; short breaks do not end it.

    It counts once it has been so for `on` seconds, and is over once it has not been for `off`.
    """

    def __init__(self, on: float, off: float | None = None) -> None:
        self._on = on
        self._off = on if off is None else off
        self.since: Moment | Reading | None = None
        """Where the spell began, None outside of one."""
        self._last = -math.inf
        self.counts = False

    def see(self, so: bool, now: Moment | Reading) -> bool:
        """Whether it counts now."""
        if so:
            if self.since is None:
                self.since = now
            self._last = now.seconds
            self.counts = self.counts or now.seconds - self.since.seconds >= self._on
        # Before it counts, one look that does not show it makes it begin anew.
        elif not self.counts or now.seconds - self._last >= self._off:
            self.since, self.counts = None, False
        return self.counts


class Blocks:
    """A noisy stream as means over stretches of at least so many seconds.

    Neighbouring values of a training run hang together; means over a stretch do so much less.
    """

    def __init__(self, seconds: float, remember: int = 4096) -> None:
        self._length = seconds
        self.means: deque[float] = deque(maxlen=remember)
        self.places: deque[Moment | Reading] = deque(maxlen=remember)
        self._values: list[float] = []
        self._begin: Moment | Reading | None = None

    def see(self, value: float, now: Moment | Reading) -> bool:
        """Takes in a value; whether a block is complete now."""
        if self._begin is not None and now.seconds - self._begin.seconds >= self._length:
            self.means.append(sum(self._values) / len(self._values))
            self.places.append(self._begin)
            self._values, self._begin = [value], now
            return True
        if self._begin is None:
            self._begin = now
        self._values.append(value)
        return False

    def __len__(self) -> int:
        return len(self.means)

    def last(self, count: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """The means of the last blocks, up to so many."""
        return np.array(list(self.means)[-count:], np.float64)

    def noise(self, count: int = 64) -> float:
        """The usual jump from one block to the next, robust against a few large ones."""
        recent = self.last(count + 1)
        if len(recent) < 3:
            return 0.0
        jumps = np.abs(np.diff(recent))
        return float(ROBUST * np.median(jumps))


class Usual:
    """The mean and deviation of the last values, to tell what is far from usual.

    Six deviations over the last 128 values give practically no false alarms, also where neighbouring
    values hang together (measured; OLMo-core's rule for spikes).
    """

    def __init__(self, window: int = 128, least: int = 64) -> None:
        self._values: deque[float] = deque(maxlen=window)
        self._least = least

    def distance(self, value: float) -> float:
        """Deviations above the mean; 0 while too little is known. Does not take the value in."""
        if len(self._values) < self._least:
            return 0.0
        known = np.fromiter(self._values, np.float64, len(self._values))
        deviation = float(known.std())
        if deviation == 0:
            return 0.0
        return (value - float(known.mean())) / deviation

    def add(self, value: float) -> None:
        """Takes a value in."""
        self._values.append(value)

    def mean(self) -> float:
        """The mean of what is known, NaN if nothing is."""
        return float(np.mean(self._values)) if self._values else math.nan
