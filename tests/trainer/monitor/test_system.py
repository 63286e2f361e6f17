"""The samplers, with an NVML that is made up."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest

from pufftui.trainer.monitor.system import (
    NO_GPU,
    GpuSampler,
    Growth,
    HostSampler,
    Sampling,
    Traffic,
)

HANDLE = "nvmlDeviceGetHandleByIndex"


class NVMLError(Exception):
    pass


class NVMLError_LibraryNotFound(NVMLError):  # noqa: N801, N818
    pass


class NVMLError_GpuIsLost(NVMLError):  # noqa: N801, N818
    pass


class FakeNvml:
    """As much of pynvml as the sampler uses.

    `broken` GPUs have no handle, `lost` ones have fallen off the bus, and `silent` names questions
    that the driver does not answer.
    """

    def __init__(self, count: int, broken: tuple[int, ...] = ()) -> None:
        self.count, self.broken = count, broken
        self.missing: Exception | None = None
        self.lost: set[int] = set()
        self.reasons = 0

    def __getattribute__(self, name: str) -> Any:
        found = object.__getattribute__(self, name)
        if not name.startswith("nvmlDevice") or name in ("nvmlDeviceGetCount", HANDLE):
            return found

        def ask(handle: int, *arguments: int) -> Any:
            if handle in self.lost:
                raise NVMLError_GpuIsLost("GPU is lost")
            return found(handle, *arguments)

        return ask

    def nvmlInit(self) -> None:  # noqa: N802
        if self.missing:
            raise self.missing

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        if self.missing:
            raise self.missing
        return self.count

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        if index in self.broken:
            raise NVMLError("GPU is lost")
        return index

    def nvmlDeviceGetName(self, handle: int) -> str:  # noqa: N802
        return "NVIDIA H200"

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(gpu=10 * handle, memory=5)

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(used=handle << 30, total=141 << 30)

    def nvmlDeviceGetTemperature(self, handle: int, kind: int) -> int:  # noqa: N802
        return 60 + handle

    def nvmlDeviceGetPowerUsage(self, handle: int) -> int:  # noqa: N802
        raise NVMLError("not supported")

    def nvmlDeviceGetEnforcedPowerLimit(self, handle: int) -> int:  # noqa: N802
        return 700_000

    def nvmlDeviceGetClockInfo(self, handle: int, kind: int) -> int:  # noqa: N802
        return 1000 + kind

    def nvmlDeviceGetMaxClockInfo(self, handle: int, kind: int) -> int:  # noqa: N802
        return 1980

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle: int) -> int:  # noqa: N802
        return self.reasons


@pytest.fixture
def sampler(monkeypatch: pytest.MonkeyPatch):
    def make(nvml: FakeNvml) -> GpuSampler:
        monkeypatch.setitem(sys.modules, "pynvml", nvml)
        sampler = GpuSampler()
        sampler.sample()
        return sampler

    return make


@pytest.mark.parametrize("count", [1, 8])
def test_every_gpu_is_read(sampler, count: int) -> None:
    readings = sampler(FakeNvml(count)).latest
    assert readings.note == ""
    assert [gpu.index for gpu in readings.gpus] == list(range(count))
    last = readings.gpus[-1]
    assert last.name == "H200"
    assert last.use == pytest.approx((count - 1) / 10)
    assert last.memory_used == count - 1 << 30
    assert last.memory_total == 141 << 30
    assert last.temperature == 59 + count
    assert last.power is None
    assert (last.power_limit, last.clock, last.clock_limit) == (700, 1001, 1980)
    assert (last.throttle, last.trouble) == ((), "")
    assert readings.recent == tuple((gpu.use,) for gpu in readings.gpus)


def test_no_gpu_and_no_driver_are_one_line(sampler) -> None:
    assert sampler(FakeNvml(0)).latest.note == NO_GPU
    nvml = FakeNvml(1)
    nvml.missing = NVMLError_LibraryNotFound("NVML Shared Library Not Found")
    readings = sampler(nvml).latest
    assert readings.gpus == ()
    assert readings.note == NO_GPU


def test_one_failing_gpu_does_not_hide_the_others(sampler) -> None:
    gpus = sampler(FakeNvml(3, broken=(1,))).latest.gpus
    assert [gpu.use is None for gpu in gpus] == [False, True, False]
    assert gpus[1].trouble == "not answering: GPU is lost"


def test_a_driver_that_goes_away_comes_back(sampler) -> None:
    nvml = FakeNvml(1)
    watching = sampler(nvml)
    nvml.missing = NVMLError("driver reloaded")
    watching.sample()
    assert watching.latest.gpus == ()
    assert "driver reloaded" in watching.latest.note
    nvml.missing = None
    watching.sample()
    assert len(watching.latest.gpus) == 1


@pytest.mark.parametrize(
    ("reasons", "words"),
    [
        (0x001, ()),  # idle
        (0x002, ()),  # a clock that somebody has set
        (0x110, ()),  # display and synchronisation
        (0x004, ("at its power limit",)),
        (0x020, ("slowed by heat",)),
        (0x048, ("slowed a lot by heat",)),
        (0x088, ("slowed by the power supply",)),
        (0x008, ("slowed by heat or power",)),
        (0x025, ("at its power limit", "slowed by heat")),
    ],
)
def test_only_heat_and_power_are_throttling(sampler, reasons: int, words: tuple[str, ...]) -> None:
    nvml = FakeNvml(1)
    nvml.reasons = reasons
    assert sampler(nvml).latest.gpus[0].throttle == words


def test_a_gpu_that_is_lost_while_running_says_so_and_the_others_go_on(sampler) -> None:
    nvml = FakeNvml(2)
    watching = sampler(nvml)
    nvml.lost = {1}
    watching.sample()
    first, second = watching.latest.gpus
    assert first.trouble == ""
    assert (second.name, second.trouble) == ("H200", "not answering: GPU is lost")
    assert second.use is None
    assert len(watching.latest.recent[1]) == 2
    nvml.lost, nvml.count = set(), 1
    watching.sample()
    assert [gpu.trouble for gpu in watching.latest.gpus] == ["", "has gone"]
    nvml.count = 2
    watching.sample()
    assert [gpu.trouble for gpu in watching.latest.gpus] == ["", ""]


@pytest.mark.parametrize("garbage", [2**32 - 1, 2**64 - 1, 4_294_967_295 * 1000])
def test_garbage_of_a_driver_is_unknown(
    sampler, monkeypatch: pytest.MonkeyPatch, garbage: int
) -> None:
    """Some drivers answer with all bits set instead of refusing."""
    rates = SimpleNamespace(gpu=garbage, memory=garbage)
    monkeypatch.setattr(FakeNvml, "nvmlDeviceGetUtilizationRates", lambda *_: rates)
    sizes = SimpleNamespace(used=garbage << 20, total=141 << 30)
    monkeypatch.setattr(FakeNvml, "nvmlDeviceGetMemoryInfo", lambda *_: sizes)
    for question in ("Temperature", "PowerUsage", "EnforcedPowerLimit", "ClockInfo"):
        monkeypatch.setattr(FakeNvml, f"nvmlDeviceGet{question}", lambda *_: garbage)
    readings = sampler(FakeNvml(1)).latest
    (gpu,) = readings.gpus
    assert (gpu.use, gpu.memory_used, gpu.memory_share) == (None, None, None)
    assert (gpu.temperature, gpu.power, gpu.power_limit, gpu.clock) == (None,) * 4
    assert gpu.clock_limit == 1980
    assert np.isnan(readings.recent[0]).all()


def test_a_driver_that_knows_few_questions(sampler, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: int) -> None:
        raise NVMLError("not supported")

    nvml = FakeNvml(1)
    for name in dir(FakeNvml):
        if name.startswith("nvmlDevice") and name not in ("nvmlDeviceGetCount", HANDLE):
            monkeypatch.setattr(FakeNvml, name, refuse)
    monkeypatch.delattr(FakeNvml, "nvmlDeviceGetMaxClockInfo")
    [gpu] = sampler(nvml).latest.gpus
    assert (gpu.name, gpu.trouble, gpu.throttle) == ("unknown", "", ())
    told = (gpu.use, gpu.memory_used, gpu.temperature, gpu.power, gpu.clock, gpu.power_limit)
    assert told == (None,) * 6


class TestGrowth:
    def test_it_takes_its_time(self) -> None:
        growth = Growth()
        said = [growth.follow(t, 1e9) for t in range(119)]
        assert said == [None] * 119
        assert growth.follow(125, 1e9) == 0

    def test_a_steady_leak_is_told_exactly(self) -> None:
        growth = Growth()
        said = [growth.follow(1000 + t, 1e9 + 5000 * t) for t in range(7200)]
        assert said[-1] == pytest.approx(5000 * 3600)

    def test_what_happened_at_the_start_and_single_readings_do_not_count(self) -> None:
        growth = Growth()
        for t in range(3000):
            size = 1e9 * min(1, t / 20) + (4e9 if t % 300 == 7 else 0)
            said = growth.follow(t, size)
        assert said == 0

    def test_a_clock_that_goes_back_starts_again(self) -> None:
        growth = Growth()
        for t in range(600):
            growth.follow(t, 1e9 + 1e6 * t)
        assert growth.follow(300, 5e8) is None


def test_the_host_is_read_for_real() -> None:
    host = HostSampler(Path(__file__).parent)
    host.sample()
    host.sample()
    reading = host.latest
    assert reading.cores >= 1
    assert 0 <= reading.processor <= 1
    assert len(reading.busy) == 2
    assert 0 < reading.memory_used < reading.memory_total
    assert 1 << 20 < reading.process_memory < reading.memory_total
    assert len(reading.each) == reading.cores
    assert all(0 <= share <= 1 for share in reading.each)
    assert 0 < reading.disk_free < reading.disk_total


def test_a_folder_that_is_gone_has_no_disk(tmp_path: Path) -> None:
    host = HostSampler(tmp_path / "gone")
    host.sample()
    assert host.latest.disk_free is None


def test_sampling_runs_beside_and_stops() -> None:
    host = HostSampler()
    sampling = Sampling(host)
    sampling.start()
    end = time.monotonic() + 5
    while host.latest.cores == 0 and time.monotonic() < end:
        time.sleep(0.01)
    sampling.stop()
    assert host.latest.cores > 0


def test_the_past_of_every_core_and_of_the_memory_is_kept() -> None:
    sampler = HostSampler()
    for _ in range(3):
        sampler.sample()
    latest = sampler.latest
    assert len(latest.past) == len(latest.busy) == len(latest.occupied) == 3
    assert {len(shares) for shares in latest.past} == {latest.cores}
    assert (latest.past[-1], latest.occupied[-1]) == (latest.each, latest.process_memory)


def test_what_a_process_reads_and_writes_is_told_in_bytes_a_second() -> None:
    traffic = Traffic()
    assert traffic.follow(10.0, 5000, 7000) == ()
    assert traffic.follow(12.0, 5000, 9000) == ((0.0, 1000.0),)
    assert traffic.follow(12.0, 5000, 9000) == ((0.0, 1000.0),), "no time has passed"
    assert traffic.follow(13.0, 6000, 9000)[-1] == (1000.0, 0.0)
    assert traffic.follow(14.0, 0, 0)[-1] == (0.0, 0.0), "counted anew"


@pytest.mark.parametrize("error", [AttributeError, psutil.AccessDenied, PermissionError])
def test_a_system_that_does_not_count_disks_is_read_all_the_same(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_process: psutil.Process) -> None:
        raise error

    monkeypatch.setattr(psutil.Process, "io_counters", refuse, raising=False)
    sampler = HostSampler()
    sampler.sample()
    sampler.sample()
    assert sampler.latest.traffic == ()
    assert sampler.latest.process_memory > 0
