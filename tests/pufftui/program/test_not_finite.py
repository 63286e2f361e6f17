"""An environment that gives a number that is none: the run stops in time, and can be gone on with."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from processes import PUFFTUI, SMALL

from pufftui.envs.scaffold import new_env
from pufftui.trainer.run.checkpoint import newest_checkpoint, read_checkpoint
from pufftui.trainer.run.folder import RunFolder

AT = 1000
"""Step of each game at which it spoils one observation."""

SPOIL = f"    if (game->steps == {AT}) *(float*)observation = 0.0f / 0.0f;"


@pytest.fixture
def spoiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The template's game with one observation of NaN in it."""
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path / "runs"))
    folder = new_env("spoiled", tmp_path)
    source = folder / "spoiled.c"
    text = source.read_text()
    for old, new in (
        ("    int32_t balls, caught;", "    int32_t balls, caught, steps;"),
        ("    game->row++;\n", "    game->row++;\n    game->steps++;\n"),
        (
            "    memcpy(observation, &seen, sizeof seen);",
            f"    memcpy(observation, &seen, sizeof seen);\n{SPOIL}",
        ),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    source.write_text(text)
    return folder


def run(*arguments: str) -> str:
    """What a run that fails says on stderr."""
    done = subprocess.run(
        [*PUFFTUI, *arguments, "--headless"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    return done.stderr


def test_a_run_that_met_one_goes_on_from_sound_numbers_each_time(spoiled: Path) -> None:
    settings = [*SMALL, "--policy.memory", "mingru", "--train.total-steps", "1M"]
    settings += ["--train.horizon", "16", "--run.keep-checkpoints", "2"]
    said = run("train", str(spoiled), "--run-name", "it", *settings)
    assert "observation paddle[0]" in said
    folder = RunFolder.open("it")
    steps = []
    for _ in range(3):
        saved, passed_over = newest_checkpoint(folder.checkpoints)
        assert saved is not None
        assert passed_over == []
        steps.append(saved.description["step"])
        for file in folder.checkpoints.glob("step-*.npz"):
            for name, array in read_checkpoint(file)[0].items():
                if array.dtype.kind == "f" and not name.startswith("statistics/"):
                    assert np.isfinite(array).all(), f"{name} of {file.name}"
        said = run("resume", "it")
        assert "observation paddle[0]" in said, said
        assert "learning-rate" not in said
    # Each time it learned until the games came to that step again.
    assert min(np.diff(steps)) > 0.9 * AT * 64
    kept = [read_checkpoint(file)[1] for file in folder.checkpoints.glob("step-*.npz")]
    assert any(description["healthy"] for description in kept), "the last healthy one stays"
