"""What the doctor says of a GPU, on machines that are said to have one."""

from __future__ import annotations

import sys

import pytest

from pufftui.doctor import doctor
from pufftui.doctor.doctor import Finding, Status
from pufftui.doctor.hardware import TorchBuild
from pufftui.trainer.monitor.system import GpuReading, GpuReadings

CARD = GpuReading(0, "H200", 0.87, 48 << 30, 141 << 30, 61.0, 412.0)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """All that a GPU could want."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(doctor, "gpus", lambda: GpuReadings((CARD,), ""))
    monkeypatch.setattr(doctor, "torch_build", lambda: TorchBuild("2.13.0", "13.0"))
    monkeypatch.setattr(doctor, "find_spec", lambda name: object())
    monkeypatch.setattr(doctor, "find_compiler", lambda: ["true"])
    return monkeypatch


def of_gpu() -> Finding:
    (finding,) = [found for found in doctor.examine() if found.name == "gpu"]
    return finding


def test_a_gpu_with_all_it_needs(machine: pytest.MonkeyPatch) -> None:
    assert of_gpu() == Finding("gpu", Status.OK, "H200 (141 GB)")


def test_a_gpu_without_triton(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(doctor, "find_spec", lambda name: None)
    finding = of_gpu()
    assert finding.text == "H200 (141 GB); training is slower without Triton"
    assert (finding.status, finding.fix) == (Status.WARNING, "pip install triton")


def test_a_gpu_without_a_compiler(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(doctor, "find_compiler", lambda: None)
    finding = of_gpu()
    assert "without a C compiler, which Triton needs" in finding.text
    assert finding.status is Status.WARNING
    assert finding.fix


def test_a_torch_without_cuda_wants_no_triton(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(doctor, "torch_build", lambda: TorchBuild("2.13.0", None))
    machine.setattr(doctor, "find_spec", lambda name: None)
    assert of_gpu().status is Status.OK
