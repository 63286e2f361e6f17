"""Keeps an eye on the machine for as long as a run is trained, with or without a screen."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import asdict

from pufftui.trainer.channel import Channel
from pufftui.trainer.disk import DiskWatch, Room
from pufftui.trainer.snapshot import Phase
from pufftui.trainer.store import StoreWriter
from pufftui.trainer.system import GpuSampler, HostSampler

INTERVAL = 5.0
"""Seconds between two readings."""


class Recorder:
    """A daemon thread that looks at the disk and writes what the machine is doing to the store."""

    def __init__(self, store: StoreWriter, channel: Channel, disk: DiskWatch) -> None:
        self._store, self._channel, self._disk = store, channel, disk
        self._host, self._gpu = HostSampler(), GpuSampler()
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
            room = self._disk.look()
            if room < Room.TIGHT and self._channel.latest.phase is not Phase.STARTING:
                with contextlib.suppress(Exception):  # what a machine refuses to tell has no list
                    self._write()

    def _write(self) -> None:
        self._host.sample()
        self._gpu.sample()
        host, snapshot = self._host.latest, self._channel.latest
        reading = {
            "processor": host.processor,
            "process_cores": host.process_cores,
            "process_memory": host.process_memory,
            "memory_used": host.memory_used,
            "memory_total": host.memory_total,
            "disk_free": self._disk.free,
        }
        gpus = [asdict(gpu) for gpu in self._gpu.latest.gpus]
        self._store.system(snapshot.step, snapshot.seconds, reading, gpus)
