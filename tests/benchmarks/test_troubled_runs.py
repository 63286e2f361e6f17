"""The troubles that the health checks are judged by reach the trainer, however it steps."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pufftui.trainer.health import moments
from pufftui.trainer.store import StoreReader

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
PROGRAM = """
import sys
from pathlib import Path
from troubled_runs import Case, train
settings = {"vec.agents": "256", "train.minibatch_size": "2048"}
train(Case(sys.argv[1], "squared", 1, settings, 0.0, 400_000), Path(sys.argv[2]))
"""


@pytest.mark.parametrize(("kind", "share"), [("healthy", 0.02), ("no rewards", 0.0)])
def test_rewards_are_taken_away(tmp_path: Path, kind: str, share: float):
    command = [sys.executable, "-c", PROGRAM, kind, str(tmp_path)]
    subprocess.run(command, cwd=BENCHMARKS, check=True, timeout=100)
    (store,) = tmp_path.glob("*/run.db")
    found = [m.values["reward_nonzero"] for m in moments(StoreReader(store))]
    assert found
    if share:
        assert max(found) > share
    else:
        assert max(found) == 0
