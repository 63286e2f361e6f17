"""torchrun's variables, left over or written wrongly: one process trains, or one sentence says why not."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from processes import PUFFTUI, SMALL

WHOLE = {
    "RANK": "0",
    "WORLD_SIZE": "2",
    "LOCAL_RANK": "0",
    "LOCAL_WORLD_SIZE": "2",
    "MASTER_ADDR": "127.0.0.1",
    "MASTER_PORT": "29500",
}


def pufftui(*arguments: str, place: Path, **told: str) -> subprocess.CompletedProcess[str]:
    """Runs a command among these variables alone of torchrun's."""
    environment = {name: value for name, value in os.environ.items() if name not in WHOLE}
    return subprocess.run(
        [*PUFFTUI, *arguments],
        env=environment | {"PUFFTUI_RUNS": str(place)} | told,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


@pytest.mark.parametrize(
    "told",
    [
        {"RANK": "1"},
        {"RANK": "1", "WORLD_SIZE": ""},
        {"WORLD_SIZE": "1", "RANK": "0", "LOCAL_RANK": "0", "MASTER_ADDR": "a-pod"},
    ],
    ids=["a rank of nothing", "empty", "one of one"],
)
def test_what_makes_no_job_trains_alone_and_keeps_its_run(tmp_path: Path, told: dict[str, str]):
    steps = ("--train.total-steps", "2048", "--train.horizon", "16", "--run-name", "r")
    ended = pufftui("train", "squared", "--headless", *SMALL, *steps, place=tmp_path, **told)
    assert ended.returncode == 0, ended.stderr
    assert list((tmp_path / "r" / "checkpoints").glob("step-*.npz"))
    assert (tmp_path / "r" / "run.db").is_file()


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in WHOLE.items() if name not in names}


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ({"RANK": "abc"}, "RANK"),
        ({"RANK": "-1"}, "RANK"),
        ({"WORLD_SIZE": "two"}, "WORLD_SIZE"),
        ({"WORLD_SIZE": "0"}, "WORLD_SIZE"),
        ({"WORLD_SIZE": "4"}, "RANK"),
        ({"WORLD_SIZE": "1", "RANK": "1"}, "RANK"),
        ({"WORLD_SIZE": "4", "RANK": "2", "MASTER_ADDR": "pod", "MASTER_PORT": "1"}, "LOCAL_RANK"),
        ({**WHOLE, "RANK": "2"}, "RANK"),
        ({**WHOLE, "RANK": "١"}, "RANK"),
        ({**WHOLE, "LOCAL_RANK": "2"}, "LOCAL_RANK"),
        ({**WHOLE, "LOCAL_WORLD_SIZE": "3"}, "LOCAL_WORLD_SIZE"),
        ({**WHOLE, "MASTER_PORT": "port"}, "MASTER_PORT"),
        ({**WHOLE, "MASTER_PORT": "0"}, "MASTER_PORT"),
        (without("MASTER_ADDR"), "MASTER_ADDR"),
        (without("MASTER_PORT"), "MASTER_PORT"),
        (without("RANK"), "RANK"),
    ],
)
def test_what_contradicts_itself_is_one_sentence_before_anything_is_made(
    tmp_path: Path, told: dict[str, str], named: str
):
    ended = pufftui("train", "squared", "--headless", place=tmp_path / "runs", **told)
    assert ended.returncode == 2, ended.stderr
    assert named in ended.stderr.split(". ")[0]
    assert "unset RANK WORLD_SIZE" in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("command", [["runs"], ["envs"], ["doctor"], ["train", "--help"]])
def test_commands_that_train_nothing_do_not_mind(tmp_path: Path, command: list[str]):
    ended = pufftui(*command, place=tmp_path, RANK="abc", WORLD_SIZE="")
    assert ended.returncode == 0, ended.stderr


def test_a_measurement_and_a_resumed_run_mind_as_well(tmp_path: Path):
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "lock").touch()
    for command in (["bench", "squared", "--seconds", "0.1"], ["resume", "r", "--headless"]):
        ended = pufftui(*command, place=tmp_path, WORLD_SIZE="4")
        assert ended.returncode == 2, ended.stderr
        assert "WORLD_SIZE" in ended.stderr
    assert [path.name for path in (tmp_path / "r").iterdir()] == ["lock"]
