"""Trains and kills the same runs again and again while everything else goes wrong as well.

Clocks are set by two hours, the environment gives numbers that are none, the folder of a run is moved
and its name given to another, the file of its store is deleted. After each round the run must go on
from the newest sound checkpoint, every row older than two seconds must be there, and nothing of
others may have been touched. Stop it and start it again: it goes on counting in the same folder.

    python tests/trainer/mishaps.py --rounds 500 --lanes 4 --folder /tmp/mishaps
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import re
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
import traceback
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from kills import ENDLESS, GRACE, ROW, config

from pufftui.envs.catalogue import load_env
from pufftui.envs.scaffold import new_env
from pufftui.trainer.messages.snapshot import Phase
from pufftui.trainer.run.checkpoint import NAMES, newest_checkpoint, place, read_saved
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.runner import Runner
from pufftui.trainer.settings.fields import PolicyConfig
from pufftui.trainer.store import StoreReader, StoreWriter

LEAST, MOST = 4.0, 7.0
"""Seconds from the first row to the kill."""

MISHAPS = {"nothing": 2, "clock": 2, "poison": 3, "moved": 2, "replaced": 2, "deleted": 1}
"""How often each comes, beside the kill."""

TURN = 7200
CLOCK = Path(__file__).parents[1] / "c" / "clock.c"
FAILED = 3
"""Status of a trainer that has stopped because of a poisoned environment."""

POISON = "PUFF_POISON"
"""This variable says after how many steps of each game an observation is spoiled."""

POISONED = {
    "#include <string.h>\n": "#include <stdlib.h>\n#include <string.h>\n",
    "    int32_t columns;\n": "    int32_t columns, steps;\n",
    "    game->row++;\n": "    game->row++;\n    game->steps++;\n",
    "    memcpy(observation, &seen, sizeof seen);\n": (
        "    memcpy(observation, &seen, sizeof seen);\n"
        f'    const char* poison = getenv("{POISON}");\n'
        "    if (poison && game->steps % atoi(poison) == 1) *(float*)observation = 0.0f / 0.0f;\n"
    ),
}


class Lane:
    """One run that is trained and killed for as long as it takes; everything it knows is in a file."""

    def __init__(self, root: Path, number: int) -> None:
        self.root = root / f"lane-{number}"
        self.root.mkdir(exist_ok=True)
        self.file = self.root / "tally.json"
        known = json.loads(self.file.read_text()) if self.file.exists() else {}
        self.tally: Counter[str] = Counter(known.get("tally", {}))
        self.run: str | None = known.get("run")
        self.env = root / "poisonous"

    def work(self, rounds: int) -> None:
        """Goes on until so many rounds have been survived."""
        os.environ["PUFFTUI_RUNS"] = str(self.root / "runs")
        while self.tally["rounds"] < rounds:
            if self.run is None:
                folder = RunFolder.create("", "lane")
                folder.release()
                self.run = folder.id
            self.round(RunFolder(self.root / "runs" / self.run), self.tally["rounds"])
            self.tally["rounds"] += 1
            self.save()

    def save(self) -> None:
        """Remembers what has been done; atomically, for this may be killed as well."""
        partial = self.file.with_suffix(".partial")
        partial.write_text(json.dumps({"tally": self.tally, "run": self.run}))
        partial.replace(self.file)

    def round(self, folder: RunFolder, number: int) -> None:
        """Trains, lets something go wrong, kills, and looks at what is left."""
        mishap = random.choices(list(MISHAPS), list(MISHAPS.values()))[0]
        before = sound_checkpoints(folder)
        files = {path.name for path in folder.checkpoints.glob(NAMES)}
        trace = self.root / f"trace-{number}-{secrets.token_hex(2)}"
        process = self.spawn(folder, number, trace, poisoned=mishap == "poison")
        wait_for(lambda: rows_given(trace), process)
        began = time.monotonic()
        foreign: dict[Path, bytes] = {}
        if mishap == "clock":
            turn_clock()
        if mishap in ("moved", "replaced"):
            time.sleep(random.uniform(0, 2))
            old, folder = folder.path, self.move(folder)
            foreign = settle_a_stranger(old) if mishap == "replaced" else {}
        if mishap == "deleted":
            time.sleep(random.uniform(0, 2))
            for file in folder.path.glob("run.db*"):
                file.unlink()
            wait_for(folder.database.exists, process)
        kill_at = began + random.uniform(LEAST, MOST)
        status = None
        while status is None and time.monotonic() < kill_at:
            status = ended(process)
            time.sleep(0.01)
        killed = time.monotonic()
        if status is None:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
        else:
            assert mishap == "poison", f"it ended by itself with {status}"
            assert os.waitstatus_to_exitcode(status) == FAILED, status
        self.check(folder, number, rows_given(trace), killed)
        expect_resumed(folder, number, before)
        expect_kept(folder, files, before)
        for path, content in foreign.items():
            assert path.read_bytes() == content, f"{path} was touched"
        trace.unlink()
        self.tally.update({mishap: 1, "stopped by poison": status is not None})

    def spawn(self, folder: RunFolder, number: int, trace: Path, *, poisoned: bool) -> int:
        """A process that trains; forked, so that torch has to be imported only once."""
        process = os.fork()
        if process:
            return process
        status = 1
        try:
            status = train(folder, number, trace, self.env, poisoned=poisoned)
        except BaseException:  # noqa: BLE001 - a fork must never come back
            traceback.print_exc()
        os._exit(status)

    def move(self, folder: RunFolder) -> RunFolder:
        """Gives the folder of a live run another name."""
        self.run = f"lane-{secrets.token_hex(3)}"
        moved = folder.path.with_name(self.run)
        folder.path.rename(moved)
        self.save()
        return RunFolder(moved)

    def check(
        self, folder: RunFolder, number: int, given: list[tuple[int, float]], killed: float
    ) -> None:
        """Every row that is old enough is there, in its order, in a file without a flaw."""
        with closing(sqlite3.connect(folder.database)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        reader = StoreReader(folder.database)
        rows = reader.metrics_after(0)
        reader.close()
        written = [int(step) for step in rows.steps[rows.values["start"] == number]]
        steps = [step for step, _ in given]
        assert written[: len(steps)] == steps[: len(written)], "rows are missing or mixed up"
        owed = sum(when < killed - GRACE for _, when in given)
        assert len(written) >= owed, f"{owed - len(written)} rows older than {GRACE} s are missing"
        self.tally.update({"rows owed": owed, "rows there": min(len(written), len(steps))})


def train(folder: RunFolder, number: int, trace: Path, env: Path, *, poisoned: bool) -> int:
    """In a process of its own: goes on with a run, and leaves a trace of every row given to the store."""
    file = os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    give = StoreWriter.metrics

    def traced(store, step, seconds, epoch, values, extremes=None):
        give(store, step, seconds, epoch, {**values, "start": number}, extremes)
        os.write(file, ROW.pack(step, time.monotonic()))

    StoreWriter.metrics = traced
    folder.lock()
    saved, _ = newest_checkpoint(folder.checkpoints)
    base = config(0.1, ENDLESS)
    if poisoned:
        os.environ[POISON] = str(random.randint(200, 3000))
    known = replace(
        base,
        env=str(env),
        parameters={"columns": 9.0},
        policy=PolicyConfig(memory="mingru", hidden=32),
    )
    runner = Runner(known, folder, load_env(str(env), named_here=True), saved)
    runner.start()
    runner.join()
    assert poisoned, runner.latest.failure
    assert runner.latest.phase is Phase.FAILED
    assert "observation paddle" in runner.latest.failure, runner.latest.failure
    return FAILED


def rows_given(trace: Path) -> list[tuple[int, float]]:
    """Step and time of each row that the store was given."""
    try:
        data = trace.read_bytes()
    except FileNotFoundError:
        return []
    return list(ROW.iter_unpack(data[: len(data) // ROW.size * ROW.size]))


def sound_checkpoints(folder: RunFolder) -> dict[tuple[int, int], str]:
    """Those that a run can go on from, by their place in it."""
    found = {}
    for path in folder.checkpoints.glob(NAMES):
        saved = read_saved(path)  # none is ever unsound, however often it is killed
        found[place(saved.description)] = path.name
    return found


def expect_resumed(folder: RunFolder, number: int, before: dict[tuple[int, int], str]) -> None:
    """The round began at the newest sound checkpoint that was there before it."""
    reader = StoreReader(folder.database)
    lineages, rows = reader.lineages(), reader.metrics_after(0)
    events = reader.events_after(0)
    reader.close()
    own = {int(lineage) for lineage in rows.lineages[rows.values["start"] == number]}
    assert len(own) == 1
    (lineage,) = own
    step = max(before)[1] if before else 0
    assert next(one for one in lineages if one.id == lineage).from_step == step
    if before and step:
        told = [event.text for event in events if event.lineage == lineage]
        assert any(re.match(f"resumed from step {step:,}$", text) for text in told), told


def expect_kept(folder: RunFolder, files: set[str], before: dict[tuple[int, int], str]) -> None:
    """What is newest is there still, or something newer is; nothing newer than it was deleted."""
    after = sound_checkpoints(folder)
    assert after, "no checkpoint is left"
    if before:
        assert max(after) >= max(before)
        newest = before[max(before)]
        later = {name for name in files if name > newest}
        there = {path.name.removeprefix("damaged-") for path in folder.checkpoints.iterdir()}
        assert later <= there


def settle_a_stranger(place: Path) -> dict[Path, bytes]:
    """Puts a folder of somebody else under the old name of a run."""
    (place / "checkpoints").mkdir(parents=True)
    names = ("letter.txt", "lock", "run.db", "run.db-wal", "checkpoints/step-00000000000001.npz")
    for name in names:
        (place / name).write_text(f"the {name} of somebody else")
    return {place / name: (place / name).read_bytes() for name in names}


def turn_clock() -> None:
    """Sets the clock of everybody here by two hours, ahead or back."""
    Path(os.environ["PUFF_CLOCK"]).write_text(str(random.choice((-TURN, 0, TURN))))


def wait_for(condition, process: int) -> None:
    """Looks until something is so; the trainer must live meanwhile."""
    while not condition():
        assert ended(process) is None, "it died before it trained"
        time.sleep(0.005)


def ended(process: int) -> int | None:
    """The status of a child that has ended, which is forgotten by it."""
    which, status = os.waitpid(process, os.WNOHANG)
    return status if which else None


def fork_lane(root: Path, number: int, rounds: int) -> int:
    """A process that works on one run."""
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        random.seed()
        Lane(root, number).work(rounds)
        status = 0
    except BaseException:  # noqa: BLE001 - a fork must never come back
        sys.stderr.write(f"lane {number}: {traceback.format_exc()}")
    os._exit(status)


def with_turned_clock(root: Path) -> None:
    """Starts this program again with a clock that can be turned."""
    library, file = root / "clock.so", root / "clock"
    command = ["cc", "-shared", "-fPIC", "-O2", "-D_GNU_SOURCE", str(CLOCK), "-o", str(library)]
    subprocess.run([*command, "-ldl"], check=True)
    file.write_text("0")
    told = {"LD_PRELOAD": str(library), "PUFF_CLOCK": str(file)}
    os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | told)


def prepare(root: Path) -> None:
    """Builds the poisonous environment once."""
    if not (root / "poisonous").exists():
        source = new_env("poisonous", root) / "poisonous.c"
        text = source.read_text()
        for old, new in POISONED.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        source.write_text(text)
    load_env(str(root / "poisonous"), named_here=True)


def main() -> int:
    """Runs all lanes; 0 if nothing was ever lost."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--lanes", type=int, default=4)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    root: Path = options.folder.absolute()
    root.mkdir(parents=True, exist_ok=True)
    if "PUFF_CLOCK" not in os.environ:
        with_turned_clock(root)
    prepare(root)
    importlib.import_module("pufftui.trainer.training.loop")
    shares = [len(range(lane, options.rounds, options.lanes)) for lane in range(options.lanes)]
    lanes = [fork_lane(root, number, share) for number, share in enumerate(shares)]
    failed = sum(os.waitpid(process, 0)[1] != 0 for process in lanes)
    tally: Counter[str] = Counter()
    for number in range(options.lanes):
        tally.update(Lane(root, number).tally)
    print(json.dumps({**tally, "failed lanes": failed}))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
