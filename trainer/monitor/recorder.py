"""Keeps an eye on the machine for as long as a run is trained, with or without a screen."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import asdict

import psutil

from pufftui.trainer.health import Reading
from pufftui.trainer.messages.channel import Channel
from pufftui.trainer.messages.snapshot import Phase
from pufftui.trainer.monitor.disk import DiskWatch, Room
from pufftui.trainer.monitor.monitor import Monitor
from pufftui.trainer.monitor.system import GpuSampler, HostSampler
from pufftui.trainer.store import StoreWriter, said

INTERVAL = 5.0
"""Seconds between two readings."""


class Recorder:
    """A daemon thread that looks at the disk and writes what the machine is doing to the store.

    The health checks hear of it, too.
    """

    def __init__(
        self, store: StoreWriter, channel: Channel, disk: DiskWatch, monitor: Monitor
    ) -> None:
        self._store, self._channel, self._disk, self._monitor = store, channel, disk, monitor
        self._screen = ScreenTime()
        self._host, self._gpu = HostSampler(), GpuSampler()
        self._complained = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Asks the thread to end; does not wait, for a driver may hang."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL):
            self._disk.look()
            if self._channel.latest.phase is not Phase.STARTING:
                try:
                    self._look()
                except Exception as error:  # noqa: BLE001 - what a machine refuses to tell has no list
                    self._complain(error)

    def _complain(self, error: Exception) -> None:
        """Tells, the first time, that there is no reading."""
        if not self._complained:
            self._complained = True
            latest = self._channel.latest
            text = f"The machine cannot be read: {said(error)}."
            self._store.event(latest.step, latest.seconds, "error", text)

    def _look(self) -> None:
        self._host.sample()
        self._gpu.sample()
        host, snapshot, disk = self._host.latest, self._channel.latest, self._disk
        screen = self._screen.cores()
        gpus = tuple(asdict(gpu) for gpu in self._gpu.latest.gpus)
        self._monitor.reading(
            Reading(
                step=snapshot.step,
                seconds=snapshot.seconds,
                process_memory=host.process_memory,
                memory_used=host.memory_used,
                memory_total=host.memory_total,
                screen_cores=screen,
                cores=host.cores,
                disk=disk.warning,
                disk_level=int(disk.room),
                gpus=gpus,
            )
        )
        if disk.room >= Room.TIGHT:
            return
        reading = {
            "processor": host.processor,
            "process_cores": host.process_cores,
            "process_memory": host.process_memory,
            "memory_used": host.memory_used,
            "memory_total": host.memory_total,
            "disk_free": disk.free,
            "screen_cores": screen,
        }
        self._store.system(snapshot.step, snapshot.seconds, reading, gpus)


SCREEN_THREADS = ("MainThread", "arena", "textual-output")
"""Threads that work for the dashboard; without one they hardly do anything."""


class ScreenTime:
    """How many cores the dashboard of this process keeps busy."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._last: tuple[float, float] | None = None

    def cores(self) -> float:
        """On average since the last call; 0 in the first."""
        now, spent = time.monotonic(), self._spent(self._threads())
        last, self._last = self._last, (now, spent)
        if last is None or now <= last[0]:
            return 0.0
        return max(0.0, (spent - last[1]) / (now - last[0]))

    def _threads(self) -> set[int]:
        return {
            thread.native_id
            for thread in threading.enumerate()
            if thread.name in SCREEN_THREADS and thread.native_id is not None
        }

    def _spent(self, threads: Iterable[int]) -> float:
        """Seconds of the processor that these threads have used so far."""
        chosen = set(threads)
        used = (t.user_time + t.system_time for t in self._process.threads() if t.id in chosen)
        return float(sum(used))
