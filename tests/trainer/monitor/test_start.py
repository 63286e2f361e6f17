"""What is said of a run's start."""

import re
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from pufftui.trainer.monitor import start as module
from pufftui.trainer.monitor.start import LONGEST_START, Start, process_age


def test_each_phase_has_its_own_time():
    start = Start(time.monotonic() - 2.0)
    start.ended("program")
    start.ended("torch")
    start.began -= 0.5
    start.ended("first epoch")
    found = re.fullmatch(
        r"The start took (\S+) s: program (\S+) s, torch (\S+) s, first epoch (\S+) s\.", str(start)
    )
    assert found is not None
    whole, *parts = (float(number) for number in found.groups())
    assert abs(whole - sum(parts)) < 0.02
    assert whole > 2.4
    assert parts[0] > 1.9
    assert parts[1] < 0.4
    assert parts[2] > 0.4


def test_a_process_knows_how_old_it_is():
    """To the hundredth, not to the second."""
    imports = "import time; from pufftui.trainer.monitor.start import process_age"
    before = time.monotonic()
    said = subprocess.run(
        [sys.executable, "-c", f"{imports}; time.sleep(0.2); print(process_age())"],
        capture_output=True,
        check=True,
        text=True,
    )
    assert 0.19 <= float(said.stdout) <= time.monotonic() - before + 0.02


@pytest.mark.parametrize(("said", "age"), [(2.5, 2.5), (-3.0, 0.0), (LONGEST_START + 1, 0.0)])
def test_without_linux_the_date_says_it_if_it_can(monkeypatch, said, age):
    def nowhere() -> float:
        raise FileNotFoundError("/proc/self/stat")

    class Process:
        def create_time(self):
            return time.time() - said

    monkeypatch.setattr(module, "_age_by_boot", nowhere)
    monkeypatch.setattr(psutil, "Process", Process)
    assert process_age() == pytest.approx(age, abs=0.05)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux counts in ticks")
def test_a_date_that_was_set_changes_no_age(monkeypatch):
    before = process_age()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert before <= process_age() < before + 5 or before == 0  # Old processes have none.
