"""`pufftui runs list` on real folders: sound ones, live ones, dead ones and broken ones."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from rich.cells import cell_len
from runs_on_disk import make_run

from pufftui.__main__ import main
from pufftui.runs.summary import RunSummary, summarise, summarise_all
from pufftui.runs.table import SPARKS, fitted_table, plain_table, spark
from pufftui.trainer.run.folder import RunFolder


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path))
    return tmp_path


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert main(["runs", "list", "--json", *words]) == 0
    return [run["run"] for run in json.loads(capsys.readouterr().out)]


def test_a_summary_says_what_the_folder_holds(runs: Path) -> None:
    make_run("one", env="squared", seed=3, scores=[0.1, 0.9, 0.5], tags=("good",), note="Hm.")
    run = summarise(RunFolder(runs / "one"))
    assert (run.name, run.env, run.state) == ("one", "squared", "finished")
    assert (run.step, run.seconds) == (3000, 3.0)
    assert run.score == pytest.approx(0.5)
    assert run.best == pytest.approx(0.9)
    assert run.tags == ("good",)
    assert run.notes == ("Hm.",)
    assert run.settings["run.seed"] == 3
    assert run.curve == pytest.approx([0.1, 0.9, 0.5])
    assert 0 <= run.age < 60


@pytest.mark.parametrize(
    ("events", "locked", "state"),
    [
        (["start"], True, "running"),
        (["start", "pause"], True, "paused"),
        (["start", "pause", "resume"], True, "running"),
        (["start"], False, "dead"),
        ([], False, "dead"),
        ([], True, "starting"),
        (["start", "stop finished"], False, "finished"),
        (["start", "stop stopped"], False, "interrupted"),
        (["start", "stop finished", "start"], False, "dead"),
        (["start", "failed"], False, "failed"),
    ],
)
def test_the_state_is_what_the_events_and_the_lock_say(
    runs: Path, events: list[str], locked: bool, state: str
) -> None:
    folder = make_run("one", events=events, locked=locked)
    assert summarise(RunFolder(runs / "one")).state == state
    folder.release()


def test_a_run_of_another_program_is_marked(runs: Path) -> None:
    folder = make_run("foreign", scores=[1.0])
    folder.config_file.write_text('[log]\nprogram = "train.py"\n\n[config]\nlr = 0.1\n')
    run = summarise(folder)
    assert run.env is None
    assert run.logged
    assert run.fields()["config.lr"] == 0.1
    assert "(log)" in plain_table([run])[1]


def test_filters_and_orders(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run("old", env="squared", scores=[0.9])
    make_run("middle", env="cartpole", scores=[120.0], tags=("good",))
    make_run("new", env="squared", scores=[0.2], learning_rate=0.002)
    assert listed(capsys) == ["new", "middle", "old"]
    assert listed(capsys, "env=squared") == ["new", "old"]
    assert listed(capsys, "env=squared", "score>0.5") == ["old"]
    assert listed(capsys, "tag:good | train.learning_rate<0.01") == ["new", "middle"]
    # A filter alone is no subcommand that somebody has mistyped.
    for query in ("tag:good", "note:x", "tag:good|name=old", "tags"):
        main(["runs", query])
        assert ("Did you mean tag?" in capsys.readouterr().err) is (query == "tags")
    assert listed(capsys, "--sort", "score") == ["middle", "old", "new"]
    assert listed(capsys, "--sort", "name", "--reverse") == ["old", "new", "middle"]
    assert listed(capsys, "nothing-like-this") == []


def test_broken_folders_are_listed_and_break_nothing(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run("sound")
    make_run("garbage").database.write_bytes(b"this is no database" * 100)
    make_run("unreadable").config_file.write_text("= nonsense")
    make_run("emptied").database.unlink()
    (make_run("unlocked").path / "lock").unlink()
    (runs / "no-run-at-all").mkdir()
    (runs / "a-file").write_text("")
    found = {run.name: run for run in summarise_all()}
    assert set(found) == {"sound", "garbage", "unreadable", "emptied", "unlocked"}
    for name, run in found.items():
        assert (run.state == "broken") is (name != "sound")
        assert bool(run.trouble) is (name != "sound")
    assert listed(capsys, "state=broken", "--sort", "name") == [
        "emptied",
        "garbage",
        "unlocked",
        "unreadable",
    ]


def test_a_pipe_gets_plain_columns(runs: Path) -> None:
    make_run("a-name-that-is-too-long-for-a-narrow-terminal-but-not-for-a-pipe", scores=[0.1, 0.4])
    result = subprocess.run(
        [sys.executable, "-m", "pufftui", "runs"],
        env=os.environ | {"COLUMNS": "40", "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=True,
    )
    head, row = result.stdout.splitlines()
    assert head.split() == "run env state steps score best evaluated curve took age tags".split()
    assert row.startswith(
        "a-name-that-is-too-long-for-a-narrow-terminal-but-not-for-a-pipe  squared"
    )
    assert "\x1b" not in result.stdout
    assert result.stderr == ""


def test_an_empty_folder_says_how_to_begin(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs"]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "pufftui train breakout" in printed.err


@pytest.mark.parametrize("width", [10, 20, 40, 60, 80, 120, 300])
def test_a_table_fits_its_terminal(width: int) -> None:
    curve = np.linspace(0, 1, 30, dtype=np.float32)
    runs = [
        RunSummary(
            "x" * 40, "breakout", "finished", 10**9, score=1.0, curve=curve, tags=("a", "b")
        ),
        RunSummary("y", "breakout", "running", 12, score=None, notes=("wide 日本",)),
        RunSummary("日本", trouble="Its store run.db is missing." * 9),
    ]
    for line in fitted_table(runs, width):
        visible = _without_colour(line)
        assert cell_len(visible) <= width
    if width >= 60:
        assert "日本" in "".join(fitted_table(runs, width))


def _without_colour(line: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", line)


def test_a_spark_shows_the_curve() -> None:
    assert spark(np.array([]), 8) == ""
    assert spark(np.array([np.nan, np.nan]), 8) == ""
    assert spark(np.array([3.0, 3.0]), 8) == SPARKS[0] * 2
    assert spark(np.arange(64.0), 8) == SPARKS
    assert spark(np.array([np.nan, 0.0, 1.0]), 8) == SPARKS[0] + SPARKS[-1]


def test_hundreds_of_runs_are_quick(runs: Path) -> None:
    source = make_run("source", scores=[0.1 * i for i in range(50)]).path
    for number in range(200):
        copy = runs / f"copy-{number:03d}"
        copy.mkdir()
        for file in ("run.db", "config.toml", "lock"):
            (copy / file).write_bytes((source / file).read_bytes())
    began = time.perf_counter()
    assert len(summarise_all()) == 201
    assert time.perf_counter() - began < 5  # about 0.4 s where nothing else runs


def test_a_metric_that_is_seldom_logged_keeps_its_last_value(runs: Path) -> None:
    nan = float("nan")
    make_run("seldom", scores=[1.0, 5.0, *[nan] * 400], metrics={"loss": [0.5] * 402})
    summary = summarise(RunFolder.open("seldom"))
    assert (summary.score, summary.last["loss"]) == (5.0, 0.5)
