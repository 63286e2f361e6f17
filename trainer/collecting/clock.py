"""Where the time of an epoch goes, and how long a call may take of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from pufftui.trainer.messages.snapshot import TIME_PARTS

PATIENCE = 0.02
"""Seconds that steps outside Python may take, until it is asked whether the rollout shall go on."""


class Clock:
    """Adds up seconds per part; what no part claims is `other`."""

    def __init__(self) -> None:
        self._seconds = dict.fromkeys(TIME_PARTS, 0.0)
        self._since = time.perf_counter()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Counts the block's time to a part."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[name] += time.perf_counter() - start

    def add(self, name: str, seconds: float) -> None:
        """Counts seconds that something else has measured to a part."""
        self._seconds[name] += seconds

    def lap(self) -> tuple[float, dict[str, float]]:
        """Seconds since the last lap and each part's share of them; starts the next lap."""
        now = time.perf_counter()
        total = now - self._since
        self._seconds["other"] = max(0.0, total - sum(self._seconds.values()))
        shares = {name: seconds / total for name, seconds in self._seconds.items()}
        self._seconds = dict.fromkeys(TIME_PARTS, 0.0)
        self._since = now
        return total, shares
