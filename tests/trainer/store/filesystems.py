"""Trains where the file system lacks something, and looks at what is left of every run.

`tests/c/filesystem.c` is preloaded and makes a folder look poorer than it is. For each thing that may
be missing, and for all together: a run is trained to its end, read, remarked on, resumed, killed and
resumed again, and a script logs a run of its own. Prints a line for each, and `ok` or what was wrong.

    python tests/trainer/store/filesystems.py
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "c" / "filesystem.c"
FLAGS = ("-std=gnu11", "-O1", "-fvisibility=hidden", "-D_GNU_SOURCE", "-shared", "-fPIC")

LACKS = {
    "nothing is missing": "",
    "no shared memory": "shared-memory",
    "no record locks": "record-locks",
    "no locks": "all-locks",
    "neither": "shared-memory,all-locks",
    "locks that hang": "hanging-locks",
    "no sync of folders": "folder-sync",
    "no rename over a file": "rename-over",
    "no links, no sockets": "links,sockets",
    "no second write": "rewrites",
    "all but that": "shared-memory,all-locks,folder-sync,rename-over,links,sockets",
}

REFUSAL_SECONDS = 5.0
"""A run that cannot be kept is refused so soon."""

GRACE = 2.0
"""Seconds of metrics that a kill may cost."""

SMALL = (
    *("--vec.threads", "1", "--vec.agents", "64", "--train.horizon", "16"),
    *("--train.minibatch-size", "1024", "--policy.hidden", "64", "--policy.memory", "none"),
)

PROBE = """
import errno, fcntl, json, mmap, os, socket, sys
from pathlib import Path

folder, found = Path(sys.argv[1]), []
for name in "abcd":
    (folder / name).write_bytes(bytes(4096))
files = [os.open(folder / name, os.O_RDWR) for name in "ab"]

def fails(what, ask):
    try:
        ask()
    except OSError:
        found.append(what)

def listen():
    socket.socket(socket.AF_UNIX).bind(str(folder / "s"))

fails("shared-memory", lambda: mmap.mmap(files[0], 4096))
fails("record-locks", lambda: fcntl.lockf(files[0], fcntl.LOCK_EX | fcntl.LOCK_NB))
fails("all-locks", lambda: fcntl.flock(files[1], fcntl.LOCK_EX | fcntl.LOCK_NB))
fails("folder-sync", lambda: os.fsync(os.open(folder, os.O_RDONLY)))
fails("rename-over", lambda: os.replace(folder / "c", folder / "d"))
fails("links", lambda: os.link(folder / "a", folder / "l"))
fails("sockets", listen)
fails("rewrites", lambda: os.pwrite(files[0], b"x", 0))
print(json.dumps(found))
"""

LOG = """
import time
from pufftui import log
with log.start("logged") as run:
    for step in range(4):
        run.log(step, {"loss": float(step)})
        time.sleep(1.05)
"""

LOOK = """
import json, sys
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.store import StoreReader
from pufftui.trainer.run.watcher import Watcher

folder = RunFolder.open(sys.argv[1])
watcher, reader = Watcher(folder), StoreReader(folder.database)
watcher.look()
rows = reader.metrics_after(0)
print(json.dumps({
    "phase": watcher.latest.phase.value,
    "trouble": watcher.trouble,
    "step": watcher.latest.step,
    "steps": rows.steps.tolist(),
    "seconds": rows.seconds.tolist(),
    "lineages": rows.lineages.tolist(),
    "losses": rows.values["loss"].tolist() if "loss" in rows.values else [],
    "events": [[event.kind, event.text] for event in reader.events_after(0)],
    "notes": [note.text for note in reader.notes_after(0)],
}))
"""


@dataclass
class FileSystem:
    """A folder that lacks some things, for the processes that are started here."""

    library: Path
    folder: Path
    lacks: str

    def start(self, *command: str) -> subprocess.Popen[str]:
        """A Python process with these arguments."""
        poorer = {
            "LD_PRELOAD": str(self.library),
            "FILESYSTEM_BELOW": str(self.folder),
            "FILESYSTEM_LACKS": self.lacks,
            "PUFFTUI_RUNS": str(self.folder / "runs"),
        }
        return subprocess.Popen(
            [sys.executable, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | poorer,
            cwd=self.folder.parent,
        )

    def run(self, *command: str) -> tuple[int, str, str]:
        """Status, output and errors of such a process."""
        process = self.start(*command)
        try:
            said, errors = process.communicate(timeout=120)
        finally:
            process.kill()
        return process.returncode, said, errors

    def pufftui(self, *arguments: str) -> tuple[int, str, str]:
        return self.run("-m", "pufftui", *arguments)

    def look(self, name: str) -> dict:
        """What readers of a run see."""
        status, said, errors = self.run("-c", LOOK, name)
        assert status == 0, errors
        return json.loads(said)

    def found_missing(self) -> set[str]:
        """What a process really misses."""
        place = self.folder / "probe"
        place.mkdir(parents=True)
        try:
            status, said, errors = self.run("-c", PROBE, str(place))
        finally:
            shutil.rmtree(place)
        assert status == 0, errors
        return set(json.loads(said))


def build(folder: Path) -> Path:
    """The library to preload."""
    library = folder / "filesystem.so"
    compiler = os.environ.get("CC") or "cc"
    subprocess.run([compiler, *FLAGS, str(SOURCE), "-o", str(library)], check=True)
    return library


def expect_missing(place: FileSystem) -> None:
    """Raises `AssertionError` unless exactly what should be missing is."""
    if "hanging-locks" in place.lacks:
        return  # a probe would hang
    wanted = set(filter(None, place.lacks.split(",")))
    if "all-locks" in wanted:
        wanted.add("record-locks")
    assert place.found_missing() == wanted


def train(place: FileSystem) -> str:
    """A whole run with every row, or refused in time and in words."""
    began = time.monotonic()
    status, said, errors = place.pufftui(
        *("train", "squared", "--run-name", "it", "--train.total-steps", "400k", *SMALL),
        *("--headless", "--json"),
    )
    if status == 1 and "PUFFTUI_RUNS" in errors and not said:
        took = time.monotonic() - began
        assert took < REFUSAL_SECONDS + 3, f"refused after {took:.0f} s"  # and Python's own start
        return "refused"
    assert status == 0, f"status {status}: {errors}"
    lines = [json.loads(line) for line in said.splitlines()]
    assert lines[-1]["done"], lines[-1]
    assert lines[-1].get("lost_rows", 0) == 0, lines[-1]
    seen = place.look("it")
    reported = sorted({line["step"] for line in lines[:-1]})
    expect_whole(seen, lines[-1]["step"], reported)
    assert seen["phase"] == "finished", seen["phase"]
    gap = max(later - earlier for earlier, later in pairwise(seen["seconds"]))
    return f"{len(seen['steps'])} rows, at most {gap:.1f} s apart"


def expect_whole(seen: dict, last: int, reported: list[int]) -> None:
    """Rows from the beginning to the last step, and none is missing between.

    There is a row a second at least, as long as epochs end; so is there a report. So hardly two of
    those lie between two rows, however slow the machine is.
    """
    assert seen["trouble"] == ""
    steps = seen["steps"]
    assert steps, "there are no rows"
    assert steps[-1] == seen["step"] == last, (steps[-1], seen["step"], last)
    for earlier, later in pairwise([0, *steps]):
        assert earlier < later, (earlier, later)
        between = [step for step in reported if earlier < step < later]
        assert len(between) < 3, (earlier, later, between)
    assert [kind for kind, _ in seen["events"]][-1] == "stop", seen["events"]


def read(place: FileSystem) -> None:
    """Everything that reads or remarks on a run."""
    status, said, errors = place.pufftui("runs", "--json")
    assert status == 0, errors
    (listed,) = json.loads(said)
    assert listed["state"] == "finished", listed
    status, said, errors = place.pufftui("runs", "export", "it", "csv", "--output", "-")
    assert status == 0, errors
    seen = place.look("it")
    table = list(csv.DictReader(io.StringIO(said)))
    assert [int(row["step"]) for row in table] == seen["steps"]
    status, _, errors = place.pufftui("runs", "note", "it", "good", "one")
    assert status == 0, errors
    assert place.look("it")["notes"] == ["good one"]


def resume(place: FileSystem) -> None:
    """The run goes on, is killed, and goes on again, while somebody looks on and remarks."""
    command = ("resume", "it", "--headless", "--json", "--train.total-steps")
    process = place.start("-m", "pufftui", *command, "1T")
    notes = ["good one"]
    try:
        first, last = read_line(process), {}
        end = time.monotonic() + 4
        while time.monotonic() < end:
            last = read_line(process)
            seen = place.look("it")
            assert seen["trouble"] == ""
            assert seen["phase"] == "running", seen["phase"]
            status, _, errors = place.pufftui("runs", "note", "it", str(last["step"]))
            assert status == 0, errors
            notes.append(str(last["step"]))
            last = read_line(process)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()
    seen = place.look("it")
    assert seen["notes"] == notes
    assert seen["phase"] == "died" or "locks" in place.lacks, seen["phase"]
    assert seen["steps"][-1] > first["step"]
    assert seen["seconds"][-1] > last["seconds"] - GRACE
    total = str(seen["steps"][-1] + 200_000)
    status, said, errors = place.pufftui(*command, total)
    assert status == 0, errors
    assert json.loads(said.splitlines()[-1]).get("lost_rows", 0) == 0
    assert place.look("it")["steps"][-1] >= int(total)


def read_line(process: subprocess.Popen[str]) -> dict:
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    return json.loads(line)


def log(place: FileSystem) -> None:
    """A run that a script writes."""
    status, _, errors = place.run("-c", LOG)
    assert status == 0, errors
    assert errors == "", errors
    assert place.look("logged")["losses"] == [0.0, 1.0, 2.0, 3.0]


def leftovers(place: FileSystem) -> None:
    """No file of a trial, and no turn, lies about."""
    left = [
        path.name
        for path in place.folder.rglob("*")
        if ".trial" in path.name or "-turn" in path.name or ".partial" in path.name
    ]
    assert left == [], left


def check(library: Path, lacks: str) -> Iterator[tuple[str, str]]:
    """What was done where something is missing, and how that went."""
    with tempfile.TemporaryDirectory() as folder:
        place = FileSystem(library, Path(folder) / "mount", lacks)
        place.folder.mkdir()
        expect_missing(place)
        for part in (train, read, resume, log, leftovers):
            try:
                found = part(place)
            except (AssertionError, subprocess.TimeoutExpired) as error:
                yield part.__name__, f"WRONG: {str(error).strip() or 'see the code'}"
                if part is train:
                    continue
            else:
                yield part.__name__, found or "ok"
                if found == "refused":
                    return


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=LACKS, help="one of them")
    only = parser.parse_args().only
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        library = build(Path(folder))
        for name, lacks in LACKS.items():
            if only in (None, name):
                for part, found in check(library, lacks):
                    wrong += found.startswith("WRONG")
                    print(f"{name:24} {part:10} {found}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
