"""`pufftui bench`: the figures that scripts read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NAMES = {
    *("kind", "env", "memory", "hidden", "device", "threads", "replay_ratio", "sps", "time"),
    *("matmul_gflops", "matmul_share"),
}


def test_a_line_of_json_per_figure(tmp_path: Path) -> None:
    command = "bench squared --json --seconds 0.5 --policy.memory none --policy.hidden 32"
    said = subprocess.run(
        [sys.executable, "-m", "pufftui", *command.split()],
        cwd=tmp_path,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
    figures = [json.loads(line) for line in said.splitlines()]
    assert all(set(figure) == NAMES for figure in figures)
    assert all(figure["sps"] > 1000 for figure in figures)
    *envs, train = figures
    assert [figure["threads"] for figure in envs] == sorted({figure["threads"] for figure in envs})
    assert all(figure["kind"] == "env" for figure in envs)
    assert (train["kind"], train["memory"], train["hidden"]) == ("train", "none", 32)
    assert sum(train["time"].values()) == pytest.approx(1, abs=0.02)
    assert 0 < train["matmul_share"] < 1
    assert not [
        path for path in tmp_path.iterdir() if "pufftui" in path.name or path.name == "runs"
    ]
