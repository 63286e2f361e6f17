"""NVIDIA GPUs as their driver tells of them, through NVML; whatever it refuses to tell is None."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

NO_GPU = "none found"

REMEMBERED = 240
"""Readings of a processor that are kept for its curve."""

HARDWARE_SLOWDOWN = 0x08
THROTTLES = {
    0x04: "at its power limit",
    0x20: "slowed by heat",
    0x40: "slowed a lot by heat",
    0x80: "slowed by the power supply",
}
"""NVML's reasons for a slower clock that are due to heat or power. An idle GPU is slow, too, and
so is one that somebody has set to a clock: that is no trouble."""

UNEXPLAINED = "slowed by heat or power"
"""The hardware says that it slows down, and nothing more."""


RANGES: dict[str, tuple[float, float]] = {
    "use": (0.0, 1.0),
    "memory_used": (0, 1 << 44),
    "memory_total": (1, 1 << 44),
    "temperature": (-50.0, 200.0),
    "power": (0.0, 10_000.0),
    "clock": (0.0, 20_000.0),
    "clock_limit": (1.0, 20_000.0),
    "power_limit": (1.0, 10_000.0),
}
"""What a GPU can be. Drivers fill what they do not know with all bits set, or with whatever was there."""


def possible(name: str, value: object) -> float | None:
    """A figure of a reading if there can be such a GPU, else None; whole numbers stay whole."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    low, high = RANGES[name]
    return value if low <= value <= high else None


@dataclass(frozen=True, slots=True)
class GpuReading:
    """One GPU; None is what its driver does not tell.

    Memory in bytes, power in watts, clocks in megahertz. `throttle` says in words why it is slower
    than it could be. `trouble` says why there is nothing to tell at all.
    """

    index: int
    name: str
    use: float | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    temperature: float | None = None
    power: float | None = None
    clock: float | None = None
    clock_limit: float | None = None
    power_limit: float | None = None
    throttle: tuple[str, ...] = ()
    trouble: str = ""

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> GpuReading:
        """A reading as a store keeps it; other versions knew fewer or more fields."""
        known = {field.name for field in fields(cls)}
        given: dict[str, Any] = {"index": 0, "name": "unknown"}
        given |= {name: value for name, value in row.items() if name in known}
        given["throttle"] = tuple(given.get("throttle") or ())
        return cls(**{**given, **{at: possible(at, given.get(at)) for at in RANGES}})

    @property
    def memory_share(self) -> float | None:
        """How full its memory is, 0 to 1."""
        if self.memory_used is None or not self.memory_total:
            return None
        return (
            self.memory_used / self.memory_total if self.memory_used <= self.memory_total else None
        )


@dataclass(frozen=True, slots=True)
class GpuReadings:
    """All GPUs, or a `note` that says in one line why there are none.

    `recent` has how busy each of them was lately, the newest last, NaN where nobody knows.
    """

    gpus: tuple[GpuReading, ...] = ()
    note: str = "looking for GPUs"
    recent: tuple[tuple[float, ...], ...] = ()


class Recent:
    """How busy each GPU was lately."""

    def __init__(self) -> None:
        self._shares: dict[int, deque[float]] = {}

    def follow(self, gpus: tuple[GpuReading, ...]) -> tuple[tuple[float, ...], ...]:
        """Takes in one more reading; what is remembered, in the order of `gpus`."""
        for gpu in gpus:
            shares = self._shares.setdefault(gpu.index, deque(maxlen=REMEMBERED))
            shares.append(math.nan if gpu.use is None else gpu.use)
        return tuple(tuple(self._shares[gpu.index]) for gpu in gpus)


class GpuSampler:
    """Reads NVIDIA GPUs through NVML. `latest` is replaced whole; failures become its note.

    A GPU that has been seen and is gone stays in the list, with its trouble.
    """

    def __init__(self) -> None:
        self.latest = GpuReadings()
        self._nvml: Any = None
        self._names: dict[int, str] = {}
        self._recent = Recent()

    def sample(self) -> None:
        try:
            if self._nvml is None:
                import pynvml

                pynvml.nvmlInit()
                self._nvml = pynvml
            count = self._nvml.nvmlDeviceGetCount()
            indices = sorted({*range(count), *self._names})
            gpus = tuple(self._read(index, there=index < count) for index in indices)
            self.latest = GpuReadings(gpus, "" if gpus else NO_GPU, self._recent.follow(gpus))
        except Exception as error:  # noqa: BLE001 - a driver may fail in any way; one line says so
            self._nvml = None
            self.latest = GpuReadings(note=_explain(error))

    def _read(self, index: int, *, there: bool) -> GpuReading:
        nvml, name = self._nvml, self._names.get(index, "unknown")
        if not there:
            return GpuReading(index, name, trouble="has gone")
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
        except Exception as error:  # noqa: BLE001
            return GpuReading(index, name, trouble=f"not answering: {error}")
        lost: list[Exception] = []

        def ask(question: str, *arguments: Any) -> Any:
            try:
                return getattr(nvml, question)(handle, *arguments)
            except Exception as error:  # noqa: BLE001 - not every driver knows every question
                if type(error).__name__ == "NVMLError_GpuIsLost":
                    lost.append(error)
                return None

        told = ask("nvmlDeviceGetName")
        if told:
            name = (told.decode() if isinstance(told, bytes) else told).removeprefix("NVIDIA ")
            self._names[index] = name
        use, memory = ask("nvmlDeviceGetUtilizationRates"), ask("nvmlDeviceGetMemoryInfo")
        reasons = ask("nvmlDeviceGetCurrentClocksEventReasons")
        if reasons is None:
            reasons = ask("nvmlDeviceGetCurrentClocksThrottleReasons")
        power, most = ask("nvmlDeviceGetPowerUsage"), ask("nvmlDeviceGetEnforcedPowerLimit")
        core, multiprocessors = 0, 1
        temperature = ask("nvmlDeviceGetTemperature", core)
        clock = ask("nvmlDeviceGetClockInfo", multiprocessors)
        clock_limit = ask("nvmlDeviceGetMaxClockInfo", multiprocessors)
        if lost:
            return GpuReading(index, name, trouble=f"not answering: {lost[0]}")
        return GpuReading.from_row(
            {
                "index": index,
                "name": name,
                "use": None if use is None else use.gpu / 100,
                "memory_used": None if memory is None else memory.used,
                "memory_total": None if memory is None else memory.total,
                "temperature": temperature,
                "power": None if power is None else power / 1000,
                "clock": clock,
                "clock_limit": clock_limit,
                "power_limit": None if most is None else most / 1000,
                "throttle": throttle_words(reasons or 0),
            }
        )


def throttle_words(reasons: int) -> tuple[str, ...]:
    """NVML's bits of why a clock is slow, as words; empty unless heat or power is to blame."""
    words = tuple(word for bit, word in THROTTLES.items() if reasons & bit)
    return words or ((UNEXPLAINED,) if reasons & HARDWARE_SLOWDOWN else ())


def _explain(error: Exception) -> str:
    name = type(error).__name__
    if name in ("NVMLError_LibraryNotFound", "NVMLError_DriverNotLoaded", "ModuleNotFoundError"):
        return NO_GPU
    return f"not readable: {error}"
