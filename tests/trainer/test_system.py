"""The samplers, with an NVML that is made up."""

from __future__ import annotations

import sys
import time
from types import SimpleNamespace

import pytest

from pufftui.trainer.system import NO_GPU, GpuSampler, HostSampler, Sampling


class NVMLError(Exception):
    pass


class NVMLError_LibraryNotFound(NVMLError):  # noqa: N801, N818
    pass


class FakeNvml:
    """As much of pynvml as the sampler uses; `broken` GPUs answer nothing."""

    NVMLError = NVMLError
    NVML_TEMPERATURE_GPU = 0

    def __init__(self, count: int, broken: tuple[int, ...] = ()) -> None:
        self.count, self.broken = count, broken
        self.missing: Exception | None = None

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
    assert gpus[1].name == "not answering"


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


def test_the_host_is_read_for_real() -> None:
    host = HostSampler()
    host.sample()
    host.sample()
    reading = host.latest
    assert reading.cores >= 1
    assert 0 <= reading.processor <= 1
    assert len(reading.busy) == 2
    assert 0 < reading.memory_used < reading.memory_total
    assert 1 << 20 < reading.process_memory < reading.memory_total


def test_sampling_runs_beside_and_stops() -> None:
    host = HostSampler()
    sampling = Sampling(host)
    sampling.start()
    end = time.monotonic() + 5
    while host.latest.cores == 0 and time.monotonic() < end:
        time.sleep(0.01)
    sampling.stop()
    assert host.latest.cores > 0
