"""Whether agents learn in the time that is promised, from a cold start, on this machine.

Slow: run with `make slow`, on a quiet machine. Time counts from the start of the process.
"""

import json
import os
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.slow


def best_figure(tmp_path, env, figure, seed, seconds, enough):
    """The best value of a figure that a headless run reports within `seconds`."""
    began = time.monotonic()
    command = [sys.executable, "-m", "pufftui", "train", env, "--headless", "--json"]
    process = subprocess.Popen(
        [*command, "--seed", str(seed)],
        env=os.environ | {"PUFFTUI_RUNS": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    best = float("-inf")
    try:
        for line in process.stdout:
            report = json.loads(line)
            if report.get(figure) is not None:
                best = max(best, report[figure])
            if best >= enough or time.monotonic() - began > seconds:
                break
    finally:
        process.terminate()
        process.communicate(timeout=30)
    return best


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_squared_reaches_its_target_within_a_minute(tmp_path, seed):
    assert best_figure(tmp_path, "squared", "perf", seed, 60, 0.95) >= 0.95


def test_breakout_scores_a_hundred_within_two_minutes(tmp_path):
    assert best_figure(tmp_path, "breakout", "score", 1, 120, 100) >= 100
