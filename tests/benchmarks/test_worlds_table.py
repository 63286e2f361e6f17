"""What benchmarks/worlds.py keeps, does not run again, and tells of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / "benchmarks" / "worlds.py"
sys.path.insert(0, str(FILE.parent / "worlds"))

from suite import SUITE  # noqa: E402
from table import best, final, first, markdown  # noqa: E402

STEPS = 100_000


def line(shares, *, column="plain", seed=1, version="1"):
    """A training in heaps whose scores rise and fall as these shares, a point every tenth of the steps."""
    world = SUITE["heaps"]
    points = [
        [
            step * STEPS // 10,
            2.0 * step,
            1.0 * step,
            world.random + share * (world.good - world.random),
            step,
        ]
        for step, share in enumerate(shares, 1)
    ]
    return {
        "world": "heaps",
        "column": column,
        "seed": seed,
        "steps": STEPS,
        "version": version,
        "seconds": 20.0,
        "threads": 2,
        "processor": "this one",
        "load": 0.5,
        "points": points,
    }


def run(*words, results):
    command = [sys.executable, str(FILE), *words, "--results", str(results)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def row(lines, name="heaps"):
    found = next(text for text in markdown(lines).splitlines() if f"| {name} |" in text)
    return [cell.strip() for cell in found.strip("|").split("|")]


def test_levels():
    told = line([0, 0.2, 0.8, 0.6])
    assert final(told) == pytest.approx(0.6)
    assert best(told) == pytest.approx(0.8)
    assert first(told, 0.5) == (30_000, 6.0, 3.0)
    assert first(told, 0.9) is None


def test_a_score_counts_as_a_mean_over_a_twentieth_of_the_steps():
    told = line([0.0])
    told["points"] = [[step * 1000, step, step, float(step == 50), step] for step in range(1, 101)]
    assert best(told) == pytest.approx(0.2, abs=0.01)


def test_the_row_of_a_world():
    lines = [
        line([0, 0.5, 0.5], column="plain"),
        line([0, 0.8, 1.0], column="tuned", seed=1),
        line([0, 0.8, 0.8], column="tuned", seed=2),
        line([0.9, 0.9, 0.7], column="ours"),
    ]
    # The better peer reaches 0.9 on average: the goal is 0.81, and the second seed does not come so far.
    assert row(lines) == [
        *("heaps", "working", "0.70", "0.50", "0.90", "1/1/2"),
        *("10k, 2, 1", "never", "0.20", "0.00"),
    ]
    assert row([]) == ["heaps", "working", "", "", "", "0/0/0", "", "", "", ""]


def test_newer_versions_replace_older_ones():
    lines = [line([0.1], column="ours", version="old"), line([0.6], column="ours", version="new")]
    assert row(lines)[2] == "0.60"


def test_what_is_there_is_not_run_again(tmp_path):
    results = tmp_path / "results.jsonl"
    version = run("ours", "--worlds", "heaps", "--seeds", "0", results=results)
    assert version.returncode == 0, version.stderr
    assert not results.exists()
    kept = line([0.5])
    results.write_text(json.dumps(kept) + "\n", encoding="utf-8")
    # A peer that can be asked for its version and for nothing else.
    peer = tmp_path / "python"
    peer.write_text('#!/bin/sh\n[ "$1" = -c ] && echo 1\n', encoding="utf-8")
    peer.chmod(0o755)
    words = ["plain", "--worlds", "heaps", "--steps", str(STEPS), "--peer-python", str(peer)]
    again = run(*words, "--seeds", "1", results=results)
    assert (again.returncode, again.stdout) == (0, "")
    # The next seed is missing, and is run: this peer does not get far.
    assert "did not finish" in run(*words, "--seeds", "2", results=results).stderr
    assert results.read_text(encoding="utf-8") == json.dumps(kept) + "\n"


def test_without_the_peer_it_says_what_to_install(tmp_path):
    results = tmp_path / "results.jsonl"
    missing = run("plain", "--peer-python", str(tmp_path / "none"), results=results)
    assert missing.returncode == 1
    assert "install stable-baselines3" in missing.stderr


def test_a_world_of_the_other_half_is_refused(tmp_path):
    refused = run("ours", "--worlds", "tanks", results=tmp_path / "results.jsonl")
    assert refused.returncode == 2
    assert "tanks is not among the working worlds" in refused.stderr
