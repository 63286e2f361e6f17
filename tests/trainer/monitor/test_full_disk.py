"""A real disk that fills up: a message, a run that goes on, and one that can be resumed."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from pufftui.trainer.monitor.disk import MEGABYTE, DiskWatch, Room, room
from pufftui.trainer.run.checkpoint import newest_checkpoint
from pufftui.trainer.store import StoreReader

SMALL = ("--policy.memory", "none", "--policy.hidden", "64", "--vec.agents", "256")


@pytest.fixture
def disk(tmp_path):
    """A disk of 12 MB in memory."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(place)]
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root on Linux may mount a small disk")
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def pufftui(disk, *arguments, complaints=subprocess.PIPE):
    return subprocess.Popen(
        [sys.executable, "-m", "pufftui", *arguments, "--headless", "--json"],
        cwd=disk.parent,
        env=os.environ | {"PUFFTUI_RUNS": str(disk / "runs")},
        stdout=subprocess.PIPE,
        stderr=complaints,
        text=True,
    )


def fill(path):
    """Leaves not one byte."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_training_outlives_a_full_disk_and_can_be_resumed(disk, tmp_path):
    complaints = tmp_path / "stderr"
    with complaints.open("w") as file:
        process = pufftui(
            disk,
            *("train", "squared", "--run-name", "it", "--train.total-steps", "1e12", *SMALL),
            *("--run.checkpoint-minutes", "0.05"),
            complaints=file,
        )
    try:
        for _ in range(3):
            process.stdout.readline()
        fill(disk / "fat")
        filled = json.loads(process.stdout.readline())["step"]
        while "Warning: The disk of" not in complaints.read_text():
            assert process.stdout.readline(), complaints.read_text()
        # A line comes once a second, and a checkpoint is due every three of them.
        for _ in range(4):
            step = json.loads(process.stdout.readline())["step"]
        assert step > filled, "training went on"
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    errors = complaints.read_text()
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert "Warning: The disk of" in errors
    assert "The last good one is kept" in errors or "the last good one is kept" in errors
    ending = json.loads(said.splitlines()[-1])
    folder = disk / "runs" / "it"
    saved, torn = newest_checkpoint(folder / "checkpoints")
    assert torn == []
    assert (folder / "checkpoints" / Path(ending["checkpoint"]).name) == saved.path
    reader = StoreReader(folder / "run.db")
    assert len(reader.metrics_after(0).steps) > 3
    reader.close()
    (disk / "fat").unlink()
    total = str(saved.description["step"] + 200_000)
    again = pufftui(disk, "resume", "it", "--train.total-steps", total)
    said, errors = again.communicate(timeout=100)
    assert again.returncode == 0, errors
    with contextlib.closing(sqlite3.connect(folder / "run.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_run_that_finds_no_room_at_all_says_so(disk):
    fill(disk / "fat")
    process = pufftui(disk, "train", "squared", "--train.total-steps", "100k", *SMALL)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in errors
    assert "space" in errors


def test_what_a_run_does_without():
    gigabyte, checkpoint = 1024 * MEGABYTE, 10 * MEGABYTE
    for free, expected in (
        (100 * gigabyte, Room.PLENTY),
        (gigabyte, Room.SCARCE),
        (150 * MEGABYTE, Room.TIGHT),
        (20 * MEGABYTE, Room.NONE),
        (0, Room.NONE),
    ):
        assert room(free, 1000 * gigabyte, checkpoint) is expected
    # A small disk that is nearly empty is no reason to worry; a large checkpoint is.
    assert room(60 * MEGABYTE, 64 * MEGABYTE, MEGABYTE) is Room.PLENTY
    assert room(100 * gigabyte, 1000 * gigabyte, 11 * gigabyte) is Room.SCARCE


def test_a_disk_eases_only_with_room_to_spare(tmp_path, monkeypatch):
    watch = DiskWatch(tmp_path)
    free = 0

    def usage(_):
        return type("Usage", (), {"free": free, "total": 1000 * 1024 * MEGABYTE})

    monkeypatch.setattr("pufftui.trainer.monitor.disk.shutil.disk_usage", usage)
    seen = []
    for free in (2000, 1000, 1100, 1300, 100, 10, 17, 20, 150, 160, 5000):
        free *= MEGABYTE  # noqa: PLW2901
        seen.append(watch.look())
    plenty, scarce, tight, none = Room
    assert seen == [
        *(plenty, scarce, scarce, plenty),
        *(tight, none, none, tight, tight, scarce, plenty),
    ]
    assert watch.warning == ""
