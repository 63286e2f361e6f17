"""What the machine is doing, read once a second by threads that may block; the screen never waits."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

import psutil

INTERVAL = 1.0
"""Seconds between two readings."""

NO_GPU = "none found"

REMEMBERED = 240
"""Readings of the processor that are kept for its curve."""


@dataclass(frozen=True, slots=True)
class HostReading:
    """Processor and memory. Shares are 0..1, memory is in bytes; `busy` is the recent past."""

    cores: int = 0
    processor: float = 0.0
    busy: tuple[float, ...] = ()
    memory_used: int = 0
    memory_total: int = 1
    process_memory: int = 0
    process_cores: float = 0.0


@dataclass(frozen=True, slots=True)
class GpuReading:
    """One GPU; None is what its driver does not tell. Memory in bytes, power in watts."""

    index: int
    name: str
    use: float | None
    memory_used: int | None
    memory_total: int | None
    temperature: float | None
    power: float | None


@dataclass(frozen=True, slots=True)
class GpuReadings:
    """All GPUs, or a `note` that says in one line why there are none."""

    gpus: tuple[GpuReading, ...] = ()
    note: str = "looking for GPUs"


class HostSampler:
    """Reads processor and memory. `latest` is replaced whole."""

    def __init__(self) -> None:
        self.latest = HostReading()
        self._process = psutil.Process()
        self._busy: deque[float] = deque(maxlen=REMEMBERED)

    def sample(self) -> None:
        share = psutil.cpu_percent() / 100
        self._busy.append(share)
        memory = psutil.virtual_memory()
        with self._process.oneshot():
            self.latest = HostReading(
                cores=psutil.cpu_count() or 1,
                processor=share,
                busy=tuple(self._busy),
                memory_used=memory.total - memory.available,
                memory_total=memory.total,
                process_memory=self._process.memory_info().rss,
                process_cores=self._process.cpu_percent() / 100,
            )


class GpuSampler:
    """Reads NVIDIA GPUs through NVML. `latest` is replaced whole; failures become its note."""

    def __init__(self) -> None:
        self.latest = GpuReadings()
        self._nvml: Any = None

    def sample(self) -> None:
        try:
            if self._nvml is None:
                import pynvml

                pynvml.nvmlInit()
                self._nvml = pynvml
            count = self._nvml.nvmlDeviceGetCount()
            gpus = tuple(self._read(index) for index in range(count))
            self.latest = GpuReadings(gpus, "" if gpus else NO_GPU)
        except Exception as error:  # noqa: BLE001 - a driver may fail in any way; one line says so
            self._nvml = None
            self.latest = GpuReadings(note=_explain(error))

    def _read(self, index: int) -> GpuReading:
        nvml = self._nvml
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
        except nvml.NVMLError:
            return GpuReading(index, "not answering", None, None, None, None, None)

        def ask(question: Any, *arguments: Any) -> Any:
            try:
                return question(handle, *arguments)
            except nvml.NVMLError:
                return None

        name = ask(nvml.nvmlDeviceGetName) or "unknown"
        use = ask(nvml.nvmlDeviceGetUtilizationRates)
        memory = ask(nvml.nvmlDeviceGetMemoryInfo)
        power = ask(nvml.nvmlDeviceGetPowerUsage)
        return GpuReading(
            index=index,
            name=(name.decode() if isinstance(name, bytes) else name).removeprefix("NVIDIA "),
            use=None if use is None else use.gpu / 100,
            memory_used=None if memory is None else memory.used,
            memory_total=None if memory is None else memory.total,
            temperature=ask(nvml.nvmlDeviceGetTemperature, nvml.NVML_TEMPERATURE_GPU),
            power=None if power is None else power / 1000,
        )


def _explain(error: Exception) -> str:
    name = type(error).__name__
    if name in ("NVMLError_LibraryNotFound", "NVMLError_DriverNotLoaded", "ModuleNotFoundError"):
        return NO_GPU
    return f"not readable: {error}"


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
