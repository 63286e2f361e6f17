"""Pong whose observation is multiplied by 10,000 and far from zero is learned as pong is, if it is normalised,
or if its fields declare low and high.

Slow: run with `make slow`. It goes by steps, so the machine may be busy.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PONG = Path(__file__).parents[2] / "envs" / "pong"
OBSERVE = "static inline void pong_observe(const pong* game, float* seen) {\n"
FAR = """
    for (int i = 0; i < OBSERVATION; i++) seen[i] = 10000 * seen[i] + 30000 * (float)(i + 1);
}
"""


FIELDS = "static const puff_field pong_fields[] = {\n"


def bounded_fields():
    """A field for each number, with what it can be: the points of a game are from 0 to 1, all else from -1 to 1."""
    ranges = [(-1, 1)] * 6 + [(0, 1)] * 2
    return "".join(
        f'{{.name = "x{i}", .offset = {4 * i}, .count = 1, .dtype = PUFF_FLOAT32,'
        f" .low = {10000 * low + 30000 * (i + 1)}, .high = {10000 * high + 30000 * (i + 1)}}},\n"
        for i, (low, high) in enumerate(ranges)
    )


@pytest.fixture
def far_pong(tmp_path):
    """The environment's folder."""
    folder = tmp_path / "far_pong"
    folder.mkdir()
    text = (PONG / "pong.c").read_text()
    end = text.index("\n}\n", text.index(OBSERVE))
    text = text[:end] + FAR + text[end + 3 :]
    text = text.replace('.name = "pong"', '.name = "far_pong"')
    (folder / "far_pong.c").write_text(text)
    (folder / "far_pong.toml").write_text((PONG / "pong.toml").read_text())
    return folder


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("normalise", ["on", "off", "bounds"])
def test_what_is_far_from_zero_is_learned(far_pong, tmp_path, normalise, seed):
    if normalise == "bounds":
        source = far_pong / "far_pong.c"
        text = source.read_text()
        begin = text.index(FIELDS) + len(FIELDS)
        source.write_text(text[:begin] + bounded_fields() + text[text.index("};", begin) :])
    command = [sys.executable, "-m", "pufftui", "train", str(far_pong), "--headless", "--json"]
    command += ["--policy.normalise", "on" if normalise == "on" else "off", "--seed", str(seed)]
    result = subprocess.run(
        [*command, "--train.total-steps", "8M", "--run.device", "cpu"],
        env=os.environ | {"PUFFTUI_RUNS": str(tmp_path / "runs")},
        capture_output=True,
        text=True,
        check=True,
    )
    reports = [json.loads(line) for line in result.stdout.splitlines()]
    scores = [report["score"] for report in reports if report.get("score") is not None]
    assert scores[-1] >= 10 if normalise != "off" else max(scores) < -20
