"""What the machine is doing, read once a second by threads that may block; the screen never waits."""

from __future__ import annotations

import contextlib
import statistics
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import psutil

from pufftui.trainer.monitor.nvml import (
    NO_GPU,
    REMEMBERED,
    GpuReading,
    GpuReadings,
    GpuSampler,
    Recent,
)

__all__ = [
    "NO_GPU",
    "REMEMBERED",
    "GpuReading",
    "GpuReadings",
    "GpuSampler",
    "Growth",
    "HostReading",
    "HostSampler",
    "Recent",
    "Sampling",
]

INTERVAL = 1.0
"""Seconds between two readings."""


@dataclass(frozen=True, slots=True)
class HostReading:
    """Processor, memory and disk. Shares are 0..1, sizes in bytes; None is not known.

    `busy` is the recent past of the whole processor and `occupied` that of the process's memory;
    `each` is the present of every core, and `past` holds such presents, the newest last.
    `process_growth` is what the process gains in memory, in bytes an hour, `traffic` what it read
    from disks and wrote to them, in bytes a second, as (read, written), the newest last.
    """

    cores: int = 0
    processor: float = 0.0
    busy: tuple[float, ...] = ()
    memory_used: int = 0
    memory_total: int = 1
    process_memory: int = 0
    process_cores: float = 0.0
    each: tuple[float, ...] = ()
    process_growth: float | None = None
    disk_free: int | None = None
    disk_total: int | None = None
    past: tuple[tuple[float, ...], ...] = ()
    occupied: tuple[int, ...] = ()
    traffic: tuple[tuple[float, float], ...] = ()


class Traffic:
    """What a process reads from disks and writes to them, as the system counts it, in bytes a second."""

    def __init__(self) -> None:
        self._last: tuple[float, int, int] | None = None
        self._recent: deque[tuple[float, float]] = deque(maxlen=REMEMBERED)

    def follow(self, seconds: float, read: int, written: int) -> tuple[tuple[float, float], ...]:
        """Takes in the bytes so far, and gives the recent past."""
        if self._last is not None and seconds > self._last[0]:
            before, read_before, written_before = self._last
            spent = seconds - before
            pace = max(0, read - read_before) / spent, max(0, written - written_before) / spent
            self._recent.append(pace)
        self._last = seconds, read, written
        return tuple(self._recent)


class Growth:
    """By how much something grows in an hour, told from the last half hour.

    The middle of its last third is compared with the middle of its first, so that a single jump or
    dip says little.
    """

    SETTLING = 30.0
    """The first buffers of a process are no growth."""

    LEAST, MOST = 90.0, 1800.0
    """Seconds of the past that it takes, and that are kept."""

    APART = 5.0
    """Seconds between two sizes that are kept."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._sizes: deque[tuple[float, float]] = deque()

    def follow(self, seconds: float, size: float) -> float | None:
        """Takes in one more size; what it gains in an hour, or None while that is too early to say."""
        if self._began is None:
            self._began = seconds
        sizes = self._sizes
        if sizes and seconds < sizes[-1][0]:
            sizes.clear()  # a run went back, and its clock with it
        settled = seconds - self._began >= self.SETTLING
        if settled and (not sizes or seconds - sizes[-1][0] >= self.APART):
            sizes.append((seconds, size))
        while sizes and seconds - sizes[0][0] > self.MOST:
            sizes.popleft()
        if not sizes or sizes[-1][0] - sizes[0][0] < self.LEAST:
            return None
        third = max(1, len(sizes) // 3)
        first, last = list(sizes)[:third], list(sizes)[-third:]
        (start, small), (end, large) = (
            (statistics.median(t for t, _ in part), statistics.median(s for _, s in part))
            for part in (first, last)
        )
        return (large - small) / (end - start) * 3600


class HostSampler:
    """Reads processor, memory and the disk that holds `folder`. `latest` is replaced whole."""

    def __init__(self, folder: Path | None = None) -> None:
        self.latest = HostReading()
        self._folder = folder
        self._process = psutil.Process()
        self._busy: deque[float] = deque(maxlen=REMEMBERED)
        self._past: deque[tuple[float, ...]] = deque(maxlen=REMEMBERED)
        self._occupied: deque[int] = deque(maxlen=REMEMBERED)
        self._growth, self._traffic = Growth(), Traffic()

    def sample(self) -> None:
        each = tuple(share / 100 for share in psutil.cpu_percent(percpu=True))
        share = sum(each) / max(len(each), 1)
        self._busy.append(share)
        self._past.append(each)
        memory = psutil.virtual_memory()
        free, total = self._disk()
        with self._process.oneshot():
            resident = self._process.memory_info().rss
            self._occupied.append(resident)
            self.latest = HostReading(
                cores=len(each),
                processor=share,
                busy=tuple(self._busy),
                memory_used=memory.total - memory.available,
                memory_total=memory.total,
                process_memory=resident,
                process_cores=self._process.cpu_percent() / 100,
                each=each,
                process_growth=self._growth.follow(time.monotonic(), resident),
                disk_free=free,
                disk_total=total,
                past=tuple(self._past),
                occupied=tuple(self._occupied),
                traffic=self._read_traffic(),
            )

    def _read_traffic(self) -> tuple[tuple[float, float], ...]:
        """Empty where the system does not count what a process does to disks."""
        with contextlib.suppress(AttributeError, OSError, psutil.Error):
            done = self._process.io_counters()
            return self._traffic.follow(time.monotonic(), done.read_bytes, done.write_bytes)
        return ()

    def _disk(self) -> tuple[int | None, int | None]:
        """What is free, and how much there is; a folder may vanish."""
        if self._folder is not None:
            with contextlib.suppress(OSError):
                disk = psutil.disk_usage(str(self._folder))
                return disk.free, disk.total
        return None, None


class Sampling:
    """Calls a sampler once a second on its own daemon thread until it is stopped."""

    def __init__(self, sampler: HostSampler | GpuSampler) -> None:
        self._sampler = sampler
        self._stop = threading.Event()
        name = f"pufftui-{type(sampler).__name__.lower()}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Asks the thread to end; does not wait, for a driver may hang."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._sampler.sample()
            self._stop.wait(INTERVAL)
