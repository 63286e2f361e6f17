"""Two watchers and one trainer on one run: no lock error, no lost row."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("watchers.py")


@pytest.mark.parametrize("seconds", [8, pytest.param(600, marks=pytest.mark.slow)])
def test_watchers_see_every_row(seconds: int) -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, "--seconds", str(seconds)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["good"]
    assert told["stored"]["metrics"] > seconds / 4
