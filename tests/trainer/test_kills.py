"""Kill -9 at random moments costs at most two seconds; `kills.py` does it, here many times."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("kills.py")


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_a_run_survives_every_kill(kills: int) -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, "--kills", str(kills)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["kills"] == kills
    assert told["finished"] == 4
    # The kills came where it hurts.
    assert told["torn"] > 0
    assert told["checkpoint"] > 0
    assert told["anywhere"] > 0
