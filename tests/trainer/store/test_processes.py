"""The store between real processes: kills, followers, full disks, folders of other people."""

import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import time

import pytest

from pufftui.envs.errors import PuffError
from pufftui.trainer.store import StoreReader, StoreWriter

# Writes rows until it dies; a side file says, safely on disk, which row was given when.
WRITE = """
import os, struct, sys, time
from pathlib import Path
import numpy as np
from pufftui.envs.vector import EPISODE
from pufftui.trainer.store import StoreWriter

folder = Path(sys.argv[1])
store = StoreWriter(folder / "run.db")
side = os.open(folder / "side", os.O_WRONLY | os.O_CREAT)
number = 0
while True:
    number += 1
    values = {f"metric_{(number // 100 + i) % 60}": float(number) for i in range(30)}
    store.metrics(number, number / 10, number, values)
    store.episodes(number, np.zeros(10, EPISODE))
    if number % 20 == 0:
        store.checkpoint(number, number / 10, f"{number}.pt", None)
        store.flush()
    os.pwrite(side, struct.pack("<qd", number, time.monotonic()), 16 * (number - 1))
    os.fsync(side)
    time.sleep(0.002)
"""

# Follows a run until its stop event; prints the steps in the order in which they came.
FOLLOW = """
import json, sys, time
from pathlib import Path
from pufftui.trainer.store import StoreReader

reader = StoreReader(Path(sys.argv[1]))
steps, last, polls, stopped = [], 0, 0, False
while not stopped:
    stopped = bool(reader.events_after(0))
    rows = reader.metrics_after(last)
    assert len(rows.steps) == 0 or (rows.values["step"] == rows.steps).all()
    steps += rows.steps.tolist()
    polls += len(rows.steps) > 0
    last = rows.last
    time.sleep(0.01)
print(json.dumps([steps, polls]))
"""

# Writes into a disk that is full after 300 kB, then into one with room again.
FILL = """
import json, resource, sys
from pathlib import Path
from pufftui.trainer.store import StoreReader, StoreWriter

database = Path(sys.argv[1])
values = {f"metric_{i}": float(i) for i in range(40)}
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
store = StoreWriter(database)
steps = 0
while not store.problem and steps < 10_000:
    for _ in range(50):
        store.metrics(steps, 0.0, 0, values)
        steps += 1
    store.flush()
problem = store.problem
readable = StoreReader(database).metrics_after(0).steps.tolist()
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
store.close()
print(json.dumps([steps, problem, readable, store.problem]))
"""


def start(code, *arguments, **options):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)


def given_rows(folder):
    """(number, time) of every row that the killed process surely gave to its store."""
    content = (folder / "side").read_bytes()
    whole = content[: len(content) // 16 * 16]
    return [row for row in struct.iter_unpack("<qd", whole) if row[0]]


def test_kills_cost_at_most_two_seconds_of_metrics(tmp_path):
    """Several at once, at random moments; the last ones after more than two seconds."""
    folders = [tmp_path / str(number) for number in range(6)]
    processes = []
    for folder in folders:
        folder.mkdir()
        processes.append(start(WRITE, folder))
    killed = {}
    try:
        for folder in folders:
            while not (folder / "side").exists():
                time.sleep(0.01)
        begin, delays = time.monotonic(), sorted(random.uniform(0.05, 3.5) for _ in folders)
        for delay, folder, process in zip(delays, folders, processes, strict=True):
            time.sleep(max(0.0, begin + delay - time.monotonic()))
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed[folder] = time.monotonic()
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    for folder in folders:
        given = given_rows(folder)
        reader = StoreReader(folder / "run.db")
        rows = reader.metrics_after(0)
        reader.close()
        # One thread gives rows in order, so what is there is a prefix without a gap.
        assert rows.steps.tolist() == list(range(1, len(rows.steps) + 1))
        old = [number for number, when in given if when < killed[folder] - 2.0]
        assert len(rows.steps) >= max(old, default=0)
        columns = rows.values
        for number in rows.steps.tolist():
            assert columns[f"metric_{number // 100 % 60}"][number - 1] == number
        with contextlib.closing(sqlite3.connect(folder / "run.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        again = StoreWriter(folder / "run.db")
        again.metrics(10**6, 0.0, 0, {"metric_0": 1.0})
        again.close()
        assert again.problem == ""
        assert StoreReader(folder / "run.db").metrics_after(rows.last).steps.tolist() == [10**6]
    assert max(len(given_rows(folder)) for folder in folders) > 100, "the kills came too early"


def test_two_followers_in_other_processes_see_every_row_once_and_in_order(tmp_path):
    database = tmp_path / "run.db"
    followers = [start(FOLLOW, database) for _ in range(2)]
    try:
        time.sleep(0.3)  # they wait for the file
        store = StoreWriter(database)
        end, step = time.monotonic() + 2.0, 0
        while time.monotonic() < end:
            step += 1
            store.metrics(step, 0.0, 0, {"step": step, f"other_{step // 50}": 1.0})
            time.sleep(0.002)
        store.event(step, 2.0, "stop", "")
        store.close()
        assert store.problem == ""
        for follower in followers:
            output, _ = follower.communicate(timeout=20)
            steps, polls = json.loads(output)
            assert steps == list(range(1, step + 1))
            assert polls >= 3, "it read while the writer was writing"
    finally:
        for follower in followers:
            follower.kill()
            follower.communicate()


def test_a_full_disk_is_a_problem_and_what_was_committed_can_be_read(tmp_path):
    process = start(FILL, tmp_path / "run.db")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    steps, problem, readable, problem_after = json.loads(output)
    assert "cannot be written" in problem
    assert 50 <= len(readable) < steps
    assert readable == list(range(len(readable)))
    # With room again nothing that was given is missing.
    assert problem_after == ""
    reader = StoreReader(tmp_path / "run.db")
    assert reader.metrics_after(0).steps.tolist() == list(range(steps))
    assert "nothing was lost" in reader.events_after(0)[0].text
    reader.close()


READ = """
import os, sys
from pathlib import Path
from pufftui.envs.errors import PuffError
from pufftui.trainer.store import StoreReader, StoreWriter

if os.geteuid() == 0:
    os.setuid(65534)
store = StoreWriter(Path(sys.argv[1]))
store.metrics(2, 0.0, 0, {"score": 2.0})
store.close()
assert store.problem, "a folder that may not be written was written"
reader = StoreReader(Path(sys.argv[1]))
print(reader.metrics_after(0).steps.tolist())
"""


@pytest.mark.parametrize("killed", [False, True])
def test_a_run_in_a_read_only_folder_can_be_read(tmp_path, killed):
    """Closed properly, or killed, so that the log of the last rows still lies beside the file."""
    folder = tmp_path / "run"
    folder.mkdir()
    database = folder / "run.db"
    store = StoreWriter(database)
    store.metrics(1, 0.0, 0, {"score": 1.0})
    store.flush()
    if killed:
        copy = shutil.copytree(folder, tmp_path / "copy")
        folder, database = copy, copy / "run.db"
    store.close()
    files = sorted(path.name for path in folder.iterdir())
    assert len(files) == (3 if killed else 1)
    # Another user must be able to get here at all.
    closed = [path for path in folder.parents if not path.stat().st_mode & 0o001]
    modes = [path.stat().st_mode for path in closed]
    try:
        for path in closed:
            path.chmod(0o711)
        folder.chmod(0o555)
        for path in folder.iterdir():
            path.chmod(0o444)
        assert start(READ, database).communicate(timeout=20)[0] == "[1]\n"
        assert sorted(path.name for path in folder.iterdir()) == files
    finally:
        folder.chmod(0o755)
        for path, mode in zip(closed, modes, strict=True):
            path.chmod(mode)


def test_a_torn_file_is_a_message(tmp_path):
    database = tmp_path / "run.db"
    store = StoreWriter(database)
    for step in range(2000):
        store.metrics(step, 0.0, 0, {f"metric_{i}": 1.0 for i in range(10)})
    store.close()
    size = database.stat().st_size
    os.truncate(database, size // 2)
    reader = StoreReader(database)
    with pytest.raises(PuffError, match="cannot be read"):
        reader.metrics_after(0)
    shutil.rmtree(tmp_path)
    assert len(reader.metrics_after(0).steps) == 0
