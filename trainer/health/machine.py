"""Trouble with the machine: memory that leaks, heat, a full disk, a dashboard that costs too much."""

from __future__ import annotations

from collections import deque

import numpy as np

from pufftui.trainer.health.detector import MachineDetector, finding
from pufftui.trainer.health.finding import Finding, Level, Rule
from pufftui.trainer.health.moment import Reading
from pufftui.trainer.health.spell import Blocks, Spell

MEGABYTE = 1 << 20
SETTLING_SECONDS = 20.0
"""A run's first buffers are no leak."""

QUICK_READINGS, QUICK_GROWTH, QUICK_SHARE = 10, 200 * MEGABYTE, 0.15
SLOW_BLOCK, SLOW_BLOCKS, SLOW_GROWTH = 300.0, 12, 150 * MEGABYTE


class MemoryLeak(MachineDetector):
    """The process takes more and more memory."""

    rule = Rule(
        id="machine.leak",
        title="Memory is leaking",
        metric="process_memory",
        meaning=f"In {QUICK_READINGS} readings in a row the process has grown, by {QUICK_GROWTH / MEGABYTE:g} MB"
        f" and {QUICK_SHARE:.0%} in all; or in all but one of {SLOW_BLOCKS} five-minute blocks, by"
        f" {SLOW_GROWTH / MEGABYTE:g} MB. The first {SETTLING_SECONDS:g} s do not count.",
        source="a test for a trend: the chance of 11 rises out of 12 in a stream without one is 0.3 %",
        advice="An environment of your own may allocate memory in every step or episode; pufftui env check looks for that. A checkpoint has been written: stop and resume before the machine runs out of memory.",
    )

    def __init__(self) -> None:
        self._recent: deque[Reading] = deque(maxlen=QUICK_READINGS + 1)
        self._blocks = Blocks(SLOW_BLOCK, remember=SLOW_BLOCKS + 1)
        self._began: float | None = None
        self._found: Finding | None = None

    def see(self, reading: Reading) -> Finding | None:
        if self._began is None:
            self._began = reading.seconds
        if reading.seconds - self._began < SETTLING_SECONDS:
            return None
        self._recent.append(reading)
        self._blocks.see(reading.process_memory, reading)
        since = self._quick() or self._slow()
        if since is None:
            # A leak does not end by itself; one that pauses is still told until it falls back.
            if self._found is not None and reading.process_memory < (self._found.value or 0) * 0.9:
                self._found = None
            return self._found
        grown = reading.process_memory - since.process_memory
        hours = max(reading.seconds - since.seconds, 1.0) / 3600
        rate = grown / hours
        left = max(reading.memory_total - reading.memory_used, 0.0)
        text = (
            f"{reading.process_memory / MEGABYTE:,.0f} MB, growing by {rate / MEGABYTE:,.0f} MB an hour:"
            f" the machine's memory would be full in {_time(3600 * left / rate)}."
        )
        critical = left / rate < 0.5
        self._found = finding(
            self.rule,
            Level.CRITICAL if critical else Level.WARNING,
            text,
            since,
            reading.process_memory,
            since.process_memory,
        )
        return self._found

    def _quick(self) -> Reading | None:
        """Where a steep rise began."""
        if len(self._recent) <= QUICK_READINGS:
            return None
        sizes = np.array([reading.process_memory for reading in self._recent])
        grown = sizes[-1] - sizes[0]
        steep = grown > max(QUICK_GROWTH, QUICK_SHARE * sizes[0])
        return self._recent[0] if steep and (np.diff(sizes) > 0).all() else None

    def _slow(self) -> Reading | None:
        """Where a slow but steady rise began."""
        if len(self._blocks) <= SLOW_BLOCKS:
            return None
        means = self._blocks.last(SLOW_BLOCKS + 1)
        rises = int((np.diff(means) > 0).sum())
        if rises < SLOW_BLOCKS - 1 or means[-1] - means[0] < SLOW_GROWTH:
            return None
        first = self._blocks.places[0]
        assert isinstance(first, Reading)
        return first


def _time(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"


class Disk(MachineDetector):
    """The disk of the run fills up."""

    rule = Rule(
        id="machine.disk",
        title="The disk is filling up",
        metric="disk_free",
        meaning="The free space is less than ten checkpoints or a fifth of the disk, at most a GB (as a warning: less than three; critical: less than one).",
        source="trainer/monitor/disk.py",
        advice="Make room: pufftui runs rm deletes runs that you no longer need.",
    )

    def __init__(self) -> None:
        self._since: Reading | None = None

    def see(self, reading: Reading) -> Finding | None:
        if not reading.disk_level:
            self._since = None
            return None
        self._since = self._since or reading
        level = (Level.WARNING, Level.WARNING, Level.CRITICAL)[min(reading.disk_level, 3) - 1]
        return finding(self.rule, level, reading.disk, self._since)


THROTTLED_SECONDS = 20.0


class Throttled(MachineDetector):
    """A GPU runs slower than it could, because it is hot or lacks power."""

    rule = Rule(
        id="machine.throttled",
        title="A GPU is throttled",
        metric="gpu",
        meaning=f"The driver gives heat or power as the reason for a slower clock for {THROTTLED_SECONDS:g} s.",
        source="NVML's reasons for clock events",
        advice="Improve the cooling, or raise the power limit; nvidia-smi -q -d PERFORMANCE says more.",
    )

    def __init__(self) -> None:
        self._spell = Spell(THROTTLED_SECONDS, 60.0)
        self._text = ""

    def see(self, reading: Reading) -> Finding | None:
        slow = [
            f"GPU {gpu.get('index')}: {', '.join(gpu['throttle'])}"
            for gpu in reading.gpus
            if gpu.get("throttle")
        ]
        self._text = "; ".join(slow) or self._text
        if not self._spell.see(bool(slow), reading):
            return None
        return finding(self.rule, Level.WARNING, f"{self._text}.", self._spell.since)


COSTLY, COSTLY_SECONDS = 0.15, 60.0


class CostlyScreen(MachineDetector):
    """The dashboard itself takes too much of the machine."""

    rule = Rule(
        id="machine.screen",
        title="The dashboard costs too much",
        metric="screen_cores",
        meaning=f"Screen and arena keep more than {COSTLY:.0%} of a core busy on a machine with two, or as large a"
        f" share of a larger one, for {COSTLY_SECONDS:g} s.",
        source="the project's own budget: 10 % of a core on two",
        advice="Use a smaller terminal, pause the game (space), or train with --headless and open pufftui watch to look.",
    )

    def __init__(self) -> None:
        self._spell = Spell(COSTLY_SECONDS)

    def see(self, reading: Reading) -> Finding | None:
        limit = COSTLY * max(reading.cores, 2) / 2
        if not self._spell.see(reading.screen_cores > limit, reading):
            return None
        text = f"It keeps {reading.screen_cores:.0%} of a core busy."
        return finding(self.rule, Level.INFO, text, self._spell.since, reading.screen_cores, limit)
