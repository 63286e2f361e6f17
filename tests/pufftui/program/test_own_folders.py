"""Environments in folders from the command line: what train notes, resume and others may build."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from processes import PUFFTUI, SMALL

from pufftui.envs.catalogue import load_env, note_env
from pufftui.envs.scaffold import new_env
from pufftui.trainer.run.folder import RunFolder

STEPS = ("--train.horizon", "16", "--train.total-steps")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return new_env("own", tmp_path).absolute()


def pufftui(*words: str, **told: str) -> tuple[int, str]:
    """Runs a command; its status and what it said on stderr."""
    command = [*PUFFTUI, *words]
    ended = subprocess.run(
        command, env=os.environ | told, capture_output=True, text=True, check=False, timeout=200
    )
    return ended.returncode, ended.stderr


def train(**told: str) -> None:
    words = ("train", "./own", "--headless", "--run-name", "r", *SMALL, *STEPS, "2048")
    status, said = pufftui(*words, **told)
    assert status == 0, said


def resume(total: str, **told: str) -> tuple[int, str]:
    return pufftui("resume", "r", "--headless", "--train.total-steps", total, **told)


def edit(folder: Path) -> None:
    with (folder / "own.c").open("a", encoding="utf-8") as file:
        file.write("/* edited */\n")


def files(run: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in sorted(run.rglob("*")) if file.is_file()}


def test_a_run_goes_on_until_its_folder_is_edited_and_again_after_a_check(
    folder: Path, tmp_path: Path
):
    train()
    assert resume("4096")[0] == 0
    edit(folder)
    before = files(tmp_path / "runs" / "r")
    status, said = resume("6144")
    assert status == 1
    assert said.count("\n") == 1
    assert f"{folder} has changed since you last built it" in said
    assert f"pufftui env check {folder}" in said
    assert files(tmp_path / "runs" / "r") == before
    status, said = pufftui("env", "check", str(folder), "--steps", "100")
    assert "could not note" not in said
    assert resume("6144")[0] == 0


def test_tables_of_a_folder_that_is_not_open_come_without_names(folder: Path):
    train()
    edit(folder)
    words = ("runs", "export", "r", "csv", "--output", "-", "--episodes", "-")
    status, said = pufftui(*words)
    assert status == 0
    assert "Statistics of episodes are left out" in said
    status, said = pufftui("runs", "export", "r", "c", "--output", "-")
    assert status == 1
    assert "pufftui env check" in said


def test_settings_that_cannot_be_written_do_not_stop_training(folder: Path, tmp_path: Path):
    (tmp_path / "file").touch()
    status, said = pufftui(
        *("train", "./own", "--headless", "--run-name", "r", *SMALL, *STEPS, "2048"),
        XDG_CONFIG_HOME=str(tmp_path / "file"),
    )
    assert status == 0
    assert f"could not note that you have built {folder}" in said
    status, said = resume("4096", XDG_CONFIG_HOME=str(tmp_path / "file"))
    assert status == 1
    assert "You have never built" in said


def test_help_shows_a_folder_s_parameters_and_notes_nothing(folder: Path):
    assert pufftui("train", "./own", "--help")[0] == 0
    train_config = Path(os.environ["XDG_CONFIG_HOME"]) / "pufftui" / "environments"
    assert not train_config.exists()


@pytest.mark.parametrize("change", ["nothing", "an edit", "half a line", "no note"])
def test_who_is_left_running_keeps_its_game(
    folder: Path, change: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """The process that goes on gets the library that the first one had, whatever is edited since."""
    from pufftui.control.handover import HandOver
    from pufftui.trainer.run.lock import INHERITED

    train()
    load_env(str(folder), named_here=True)
    if change == "an edit":
        edit(folder)
    if change == "half a line":
        (folder / "own.c").write_text("static int half(", encoding="utf-8")
    if change == "no note":
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "nothing"))
    run = RunFolder(tmp_path / "runs" / "r")
    lengthen(max(run.checkpoints.iterdir()))
    run.lock()
    hand_over = HandOver(run, str(folder))
    run.release()
    child = hand_over.complete()
    os.kill(child, 15)
    assert INHERITED not in os.environ
    assert os.waitpid(child, 0)[0] == child


def lengthen(checkpoint: Path) -> None:
    """Lets a finished run go on without a flag."""
    import json

    import numpy as np

    from pufftui.trainer.run.checkpoint import write_checkpoint

    with np.load(checkpoint) as old:
        arrays = {name: old[name] for name in old.files if name != "description"}
        description = json.loads(str(old["description"]))
    description["config"] = description["config"].replace("2_048", "2_048_000_000")
    write_checkpoint(checkpoint, arrays, description)


OTHER_OBSERVATION = [
    ("    float row;\n", "    float row;\n    float more;\n"),
    (".offset = 4, .count = 2", ".offset = 4, .count = 3"),
]
OTHER_ACTIONS = [('    {"right", "right d"},\n', '    {"right", "right d"},\n    {"jump", "j"},\n')]
OTHER_STATISTICS = [
    ("static const puff_descriptor", 'static const char* const names[] = {"luck"};\n\nstatic const puff_descriptor'),
    ("    .state_size", "    .statistic_count = 1,\n    .statistics = names,\n    .state_size"),
    ("            io->scores[0]", "            io->statistics[0] = 1;\n            io->scores[0]"),
]  # fmt: skip


def change(folder: Path, changes: list[tuple[str, str]]) -> None:
    """Replaces text of the environment and has it built again."""
    source = folder / "own.c"
    text = source.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    source.write_text(text)
    note_env(str(folder))


def test_a_run_whose_environment_observes_or_acts_differently_is_refused_untouched(
    folder: Path, tmp_path: Path
):
    train()
    as_it_was, before = (folder / "own.c").read_text(), files(tmp_path / "runs")
    for changes in (OTHER_OBSERVATION, OTHER_ACTIONS):
        change(folder, changes)
        status, said = resume("4096")
        assert status == 1
        assert said.count("\n") == 1, said
        assert "own has other observations or actions than when step-" in said
        assert files(tmp_path / "runs") == before
        (folder / "own.c").write_text(as_it_was)
    change(folder, OTHER_STATISTICS)
    assert resume("4096")[0] == 0, "what episodes report is no part of the policy"
