"""Renaming, tagging, noting, pinning and removing runs, at rest and while they are trained."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from runs_on_disk import make_run

from pufftui.__main__ import main
from pufftui.trainer.run.folder import RunFolder, run_names
from pufftui.trainer.store import StoreReader, StoreWriter


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path))
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 2) -> str:
    assert main(["runs", *arguments]) == status
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err


def test_a_rename_keeps_everything_and_the_order(runs: Path) -> None:
    make_run("old", tags=("good",))
    make_run("new")
    assert main(["runs", "rename", "old", "older"]) == 0
    assert run_names() == ["new", "older"]
    assert RunFolder.open("latest").id == "new"
    assert StoreReader(runs / "older" / "run.db").tags() == ["good"]
    assert main(["runs", "rename", "latest", "newer"]) == 0
    assert RunFolder.open("latest").id == "newer"


@pytest.mark.parametrize("name", ["other", "latest", "a/b", "", "..", ".hidden"])
def test_a_rename_is_refused(runs: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    make_run("one")
    make_run("other", scores=[0.9])
    refused(capsys, "rename", "one", name)
    assert run_names() == ["other", "one"]


def test_a_trained_run_is_neither_renamed_nor_removed(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_run("live", locked=True)
    for arguments in (["rename", "live", "dead"], ["rm", "live", "--yes"]):
        assert f"trained by process {os.getpid()}" in refused(capsys, *arguments, status=1)
    assert run_names() == ["live"]
    folder.release()


def test_tags_and_notes_reach_a_live_run(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_run("live", locked=True)
    store = StoreWriter(folder.database, from_step=1000)
    for row in range(200):
        store.metrics(2000 + row, float(row), row, {"score": 1.0})
        if row % 50 == 0:
            store.flush()
            assert main(["runs", "tag", "live", f"+t{row}", "+more", "-t0"]) == 0
            assert main(["runs", "note", "live", "at", f"row {row}"]) == 0
    store.close()
    folder.release()
    reader = StoreReader(folder.database)
    assert reader.tags() == ["more", "t100", "t150", "t50"]
    assert [note.text for note in reader.notes_after(0)] == [
        f"at row {r}" for r in (0, 50, 100, 150)
    ]
    assert len(reader.metrics_after(0).steps) == 201
    capsys.readouterr()
    assert main(["runs", "tag", "live"]) == 0
    assert capsys.readouterr().out == "more t100 t150 t50\n"
    assert main(["runs", "note", "live"]) == 0
    assert "at row 50" in capsys.readouterr().out


def test_a_wrong_tag_says_how(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run("one")
    assert "Write +good to add it" in refused(capsys, "tag", "one", "good")
    for word in ("+", "+two words", "+a|b", "++x"):
        assert "is not a tag" in refused(capsys, "tag", "one", word)


def test_pins_name_checkpoints_that_are_there(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_run("one")
    assert "no checkpoint" in refused(capsys, "pin", "one")
    store = StoreWriter(folder.database)
    for step in (0, 1000, 2000):
        store.checkpoint(step, 1.0, f"step-{step:014d}.npz", None)
        if step != 1000:
            (folder.checkpoints / f"step-{step:014d}.npz").write_bytes(b"")
    store.close()

    def pinned() -> list[int]:
        return [row.step for row in StoreReader(folder.database).checkpoints() if row.pinned]

    assert main(["runs", "pin", "one"]) == 0
    assert main(["runs", "pin", "one", "0"]) == 0
    assert pinned() == [0, 2000]
    assert main(["runs", "unpin", "one", "2k"]) == 0
    assert pinned() == [0]
    assert main(["runs", "unpin", "one"]) == 0
    assert pinned() == []
    capsys.readouterr()
    assert "There are: 0, 2000" in refused(capsys, "pin", "one", "1000")
    assert "not a number" in refused(capsys, "pin", "one", "first")


def test_removing_says_what_is_lost(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run("old")
    make_run("new", scores=[0.25] * 9, tags=("good",), note="Keep me.")
    (runs / f".removed-{'0' * 16}").mkdir()  # left by a removal that was cut short
    (runs / ".removed-photos").mkdir()  # somebody's own
    moves = RunFolder.open("new").demonstrations
    moves.mkdir()
    for name in ("one.npz", "two.npz"):
        (moves / name).touch()
    assert "add --yes" in refused(capsys, "rm", "new")
    assert main(["runs", "rm", "latest", "--yes"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(
        "new: 9.00k steps of squared in 9s, score 0.250, 2 demonstrations, 1 note, 1 tag; "
    )
    assert sorted(path.name for path in runs.iterdir()) == [".removed-photos", "old"]
    assert RunFolder.open("latest").id == "old"


@pytest.mark.parametrize(("answer", "left"), [("n\n", True), ("\n", True), ("y\n", False)])
def test_removing_asks(runs: Path, answer: str, left: bool) -> None:
    make_run("one")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "pufftui", "runs", "rm", "one"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = b""
    while b"[y/N]" not in said:
        said += os.read(ours, 1000)
    assert b"for good?" in said
    os.write(ours, answer.encode())
    assert process.wait(20) == (1 if left else 0)
    os.close(ours)
    assert (runs / "one").exists() is left


def test_a_run_that_cannot_be_read_can_be_removed(runs: Path) -> None:
    make_run("bad").database.write_bytes(b"nothing" * 1000)
    assert main(["runs", "rm", "bad", "--yes"]) == 0
    assert run_names() == []


@pytest.mark.parametrize("command", ["rename", "tag", "note", "pin", "unpin", "rm"])
def test_an_unknown_run_names_the_nearest(
    runs: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    make_run("squared-brisk-otter")
    extra = ["new"] if command == "rename" else ["--yes"] if command == "rm" else []
    said = refused(capsys, command, "squared-brisk-oter", *extra)
    assert "Did you mean squared-brisk-otter?" in said
