"""The machine that trains a run, as its store tells those who look on from elsewhere."""

from __future__ import annotations

from collections import deque

from pufftui.trainer.monitor.system import (
    REMEMBERED,
    GpuReading,
    GpuReadings,
    Growth,
    HostReading,
    Recent,
)
from pufftui.trainer.store import StoreReader

NO_GPU = "no NVIDIA GPU"


class StoredMachine:
    """`latest` is replaced whole when there is a newer reading; None before the first."""

    def __init__(self) -> None:
        self.latest: tuple[HostReading, GpuReadings] | None = None
        self._last = 0
        self._busy: deque[float] = deque(maxlen=REMEMBERED)
        self._occupied: deque[int] = deque(maxlen=REMEMBERED)
        self._growth, self._recent = Growth(), Recent()

    def poll(self, reader: StoreReader) -> None:
        """Takes in what was written since the last call."""
        rows = reader.system_after(self._last, newest=REMEMBERED)
        if not rows:
            return
        for row in rows:
            self._busy.append(row.processor)
            self._occupied.append(row.process_memory)
            growth = self._growth.follow(row.seconds, row.process_memory)
            gpus = tuple(GpuReading.from_row(gpu) for gpu in row.gpus)
            recent = self._recent.follow(gpus)
        self._last = row.id
        host = HostReading(
            cores=int(reader.facts().get("cores", 0)),
            processor=row.processor,
            busy=tuple(self._busy),
            memory_used=row.memory_used,
            memory_total=row.memory_total,
            process_memory=row.process_memory,
            process_cores=row.process_cores,
            process_growth=growth,
            disk_free=row.disk_free,
            occupied=tuple(self._occupied),
        )
        self.latest = host, GpuReadings(gpus, "" if gpus else NO_GPU, recent)
