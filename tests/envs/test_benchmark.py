"""The benchmark's figures are of the right kind; how large they are is not tested."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from pufftui.envs.benchmark import measure
from pufftui.envs.library import EnvLibrary


def test_whole_environments_and_consistent_figures(crowd: EnvLibrary):
    speed = measure(crowd, threads=2, seconds=0.05)
    assert speed.agents == 2049  # 683 environments of three agents
    assert (speed.env, speed.threads) == ("crowd", 2)
    assert speed.sps > 10_000
    assert round(speed.ns_per_step * speed.sps) == 1e9


def test_the_script_prints_a_line_per_figure():
    script = Path(__file__).parents[2] / "benchmarks" / "envs.py"
    result = subprocess.run(
        [sys.executable, str(script), "--seconds", "0.02"],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert {line["env"] for line in lines} >= {"breakout", "squared"}
    assert all(line["kind"] == "env" and line["sps"] > 0 for line in lines)


def test_torch_is_not_needed():
    code = "import sys, pufftui.envs.benchmark; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
