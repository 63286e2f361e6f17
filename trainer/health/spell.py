"""Time and noise: whether something has lasted, and what is usual for a stream of values."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import replace

import numpy as np

from pufftui.trainer.health.moment import Moment, Reading

ROBUST = 1.4826
"""The standard deviation of a normal distribution, in median absolute deviations."""

SHORT_SHARE, SHORT_LOOKS = 0.5, 8
"""Of a run that is over before a spell counts: how much of it is enough, and how many looks that show it."""


class Spell:
    """How long something has been going on; short breaks do not end it.

    It counts once it has been so for `on` seconds and, in a long run, for a share of its time; it is
    over once it has not been so for `off`.
    """

    def __init__(self, on: float, off: float | None = None, share: float = 0.0) -> None:
        self._on, self._share = on, share
        self._off = on if off is None else off
        self.since: Moment | Reading | None = None
        """Where the spell began, None outside of one."""
        self._last = -math.inf
        self._looks = 0
        self.counts = False

    def see(self, so: bool, now: Moment | Reading) -> bool:
        """Whether it counts now."""
        if so:
            if self.since is None:
                self.since = now
            self._last = now.seconds
            self._looks += 1
            least = max(self._on, self._share * now.seconds)
            self.counts = self.counts or now.seconds - self.since.seconds >= least
        # Before it counts, one look that does not show it makes it begin anew.
        elif not self.counts or now.seconds - self._last >= self._off:
            self.since, self.counts, self._looks = None, False, 0
        return self.counts

    def covers(self, first: float, last: Moment) -> bool:
        """Whether what went on from those seconds to that row was too short for it, and was so for its last half."""
        if self.since is None or self._looks < SHORT_LOOKS:
            return False
        least = SHORT_SHARE * (last.seconds - first)
        lasted = self._last - self.since.seconds
        return self._last == last.seconds and least < self._on and lasted >= least


class Blocks:
    """A noisy stream as means over stretches of at least so many seconds, or a share of all there were.

    Neighbouring values of a training run hang together; means over a stretch do so less, and in a
    long run a stretch is longer.
    """

    def __init__(self, seconds: float, share: float = 0.0, remember: int = 4096) -> None:
        self._least, self._share = seconds, share
        self._first: float | None = None
        self.means: deque[float] = deque(maxlen=remember)
        self.places: deque[Moment | Reading] = deque(maxlen=remember)
        self._values: list[float] = []
        self._begin: Moment | Reading | None = None

    def see(self, value: float, now: Moment | Reading) -> bool:
        """Takes in a value; whether a block is complete now."""
        if self._first is None:
            self._first = now.seconds
        length = max(self._least, self._share * (now.seconds - self._first))
        if self._begin is not None and now.seconds - self._begin.seconds >= length:
            self.means.append(sum(self._values) / len(self._values))
            self.places.append(self._begin)
            self._values, self._begin = [value], _place(now)
            return True
        if self._begin is None:
            self._begin = _place(now)
        self._values.append(value)
        return False

    def __len__(self) -> int:
        return len(self.means)

    def mean_at(self, seconds: float) -> float | None:
        """The mean of the last block that began before a moment; None if none is that old."""
        for place, mean in zip(reversed(self.places), reversed(self.means), strict=True):
            if place.seconds <= seconds:
                return mean
        return None

    def last(self, count: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """The means of the last blocks, up to so many."""
        return np.array(list(self.means)[-count:], np.float64)


def _place(now: Moment | Reading) -> Moment | Reading:
    """Where that is; without a row's values, for thousands of places are remembered."""
    return replace(now, values={}) if isinstance(now, Moment) else now


class Noise:
    """How much a stream scatters around its own trend, whatever that is.

    Twice differenced, a trend is nearly gone, and independent noise has six times its variance. The
    median makes it robust against jumps.
    """

    def __init__(self, window: int = 96) -> None:
        self._values: deque[float] = deque(maxlen=window)

    def see(self, value: float) -> None:
        """Takes in a value."""
        self._values.append(value)

    def deviation(self) -> float:
        """The standard deviation of the noise; 0 while too little is known."""
        if len(self._values) < 5:
            return 0.0
        bends = np.diff(np.fromiter(self._values, np.float64, len(self._values)), 2)
        return float(ROBUST * np.median(np.abs(bends)) / math.sqrt(6))


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

    @property
    def known(self) -> int:
        """How many values are known."""
        return len(self._values)

    def mean(self) -> float:
        """The mean of what is known, NaN if nothing is."""
        return float(np.mean(self._values)) if self._values else math.nan
