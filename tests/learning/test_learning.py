"""Whether agents learn in the time that is promised, from a cold start, on this machine.

Slow: run with `make slow`, on a quiet machine. Time counts from the start of the process.
"""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

LASTING = 10
"""So many reports, one a second, have to reach the figure one after the other."""


def first_lasting(tmp_path, env, figure, enough, seed, limit):
    """Seconds after which a figure was, and for some reports stayed, good enough; else None."""
    command = [sys.executable, "-m", "pufftui", "train", env, "--headless", "--json"]
    process = subprocess.Popen(
        [*command, "--seed", str(seed)],
        env=os.environ | {"PUFFTUI_RUNS": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    reached = []
    try:
        for line in process.stdout:
            report = json.loads(line)
            if "done" in report:
                return reached[0] if reached else None
            good = report[figure] is not None and report[figure] >= enough
            reached = [*reached, report["seconds"]] if good else []
            if len(reached) == LASTING:
                return reached[0]
            if report["seconds"] > limit + LASTING:
                return None
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    ("env", "figure", "enough", "limit"),
    [
        ("squared", "perf", 0.95, 60),
        ("cartpole", "episode_length", 195, 60),
        ("pong", "score", 18, 60),
        ("breakout", "score", 400, 360),
        # The rest is what random play never comes near; each README has its figure.
        ("snake", "score", 60, 120),
        ("enduro", "score", 2, 360),
        ("shared_pool", "score", 25, 360),
        ("school", "score", 0.3, 120),
    ],
)
def test_agents_learn_in_the_promised_time(tmp_path, env, figure, enough, limit, seed):
    seconds = first_lasting(tmp_path, env, figure, enough, seed, limit)
    assert seconds is not None
    assert seconds <= limit
