"""The parts of benchmarks/gpu.py that need no GPU."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from by_path import benchmark

FILE = Path(__file__).parents[2] / "benchmarks" / "gpu.py"


@pytest.fixture(scope="module")
def gpu():
    return benchmark("gpu")


def kernel(start, duration, name="decide"):
    return {"cat": "kernel", "name": name, "ts": start, "dur": duration}


def copy(start, duration, size, name="Memcpy HtoD (Pinned -> Device)"):
    about = {"cat": "gpu_memcpy", "name": name, "ts": start, "dur": duration}
    return about | {"args": {"bytes": size}}


def call(duration, name, kind="cuda_runtime"):
    return {"cat": kind, "name": name, "ts": 5, "dur": duration}


def test_spans_that_overlap_are_busy_once(gpu):
    events = [
        kernel(600, 100),  # Out of order, as traces are.
        kernel(100, 200),
        kernel(150, 50),  # Within the one before.
        copy(250, 100, 8),  # Half of it beside the first, half behind it.
        {"cat": "gpu_memset", "name": "Memset", "ts": 350, "dur": 10},  # Right after that.
        {"cat": "cpu_op", "name": "aten::add", "ts": 0, "dur": 1000},
    ]
    figures = gpu.summary(events, 1000, 4)
    assert figures["busy_share"] == 0.36  # 100 to 360, 600 to 700.
    assert figures["busy_ms"] == 0.36
    assert figures["kernels_ms"]["decide"] == [3, 0.35]


def test_bytes_are_added_up_by_direction(gpu):
    back = "Memcpy DtoH (Device -> Pinned)"
    events = [copy(0, 1, 100), copy(2, 1, 60), copy(4, 1, 10, back)]
    figures = gpu.summary(events, 10, 4)
    assert figures["bytes_per_step"] == {"Memcpy HtoD (Pinned -> Device)": 40, back: 2.5}


def test_calls_of_the_host_are_counted_and_are_not_the_cards(gpu):
    events = [
        call(1500, "cudaLaunchKernel"),
        call(500, "cudaLaunchKernel"),
        call(3000, "cuGraphLaunch", "cuda_driver"),
    ]
    figures = gpu.summary(events, 10_000, 1)
    assert figures["host_calls"] == {"cudaLaunchKernel": [2, 2.0], "cuGraphLaunch": [1, 3.0]}
    assert figures["busy_share"] == 0
    assert figures["kernels_ms"] == {}


def test_the_longest_kernels_come_first(gpu):
    events = [kernel(i, i + 1, f"kernel {i:02}") for i in range(40)]
    events += [kernel(100, 30, "kernel 03"), kernel(200, 1, "long " + "x" * 100)]
    kernels = gpu.summary(events, 1000, 1)["kernels_ms"]
    assert len(kernels) == 30
    assert list(kernels)[:2] == ["kernel 39", "kernel 38"]
    assert kernels["kernel 03"] == [2, 0.034]
    assert all(len(name) <= 60 for name in kernels)


def run(*arguments, folder):
    return subprocess.run(
        [sys.executable, str(FILE), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        cwd=folder,
    )


def test_it_tells_its_options(tmp_path):
    done = run("--help", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "--minutes" in done.stdout


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_card_it_says_so(tmp_path):
    done = run(folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "This needs an NVIDIA GPU; torch finds none.\n"
    assert not done.stdout
    assert not list(tmp_path.iterdir())
