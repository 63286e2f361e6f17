"""Kills training again and again, at random moments, and looks at what is left each time.

Several runs are trained beside each other; each is killed with SIGKILL, checked and resumed until
the kills are used up, then resumed once more to its end. Prints one line of JSON.

    python tests/trainer/kills.py --kills 200 --runs 4
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import random
import signal
import sqlite3
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import replace

from pufftui.envs.catalogue import load_env
from pufftui.trainer.messages.snapshot import Phase
from pufftui.trainer.run.checkpoint import PARTIAL, newest_checkpoint
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.runner import Runner
from pufftui.trainer.settings.fields import Config, PolicyConfig, RunConfig, VecConfig
from pufftui.trainer.store import StoreReader, StoreWriter

GRACE = 2.0
"""Seconds of metrics that a kill may cost."""

LONGEST = 3.0
"""Seconds after which a run that trains is killed at the latest."""

ENDLESS = 10**12
ROW = struct.Struct("<qd")


def config(checkpoint_seconds: float, total_steps: int) -> Config:
    """A small run that spends much of its time writing checkpoints."""
    base = Config("squared", {})
    return replace(
        base,
        train=replace(base.train, total_steps=total_steps, horizon=16, minibatch_size=1024),
        policy=PolicyConfig(memory="none", hidden=64),
        vec=VecConfig(agents=64, threads=1),
        run=RunConfig(name="it", device="cpu", checkpoint_minutes=checkpoint_seconds / 60),
    )


def train(folder: RunFolder, start: int, ready: int, total_steps: int) -> None:
    """In a process of its own: trains and leaves a trace of every row given to the store.

    The trace survives this process, for the system has it. `ready` is a pipe that hears of the
    first epoch.
    """
    trace = os.open(folder.path / f"trace-{start}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    give = StoreWriter.metrics

    def traced(store, step, seconds, epoch, values, extremes=None):
        give(store, step, seconds, epoch, {**values, "start": start}, extremes)
        os.write(trace, ROW.pack(step, time.monotonic()))

    StoreWriter.metrics = traced
    folder.lock()
    saved, _ = newest_checkpoint(folder.checkpoints)
    begun = saved.description["epoch"] if saved else 0
    runner = Runner(config(0.1, total_steps), folder, load_env("squared"), saved)
    runner.start()
    told = False
    while not runner.join(0.005):
        if not told and runner.latest.phase is Phase.RUNNING and runner.latest.epoch > begun:
            os.write(ready, b"!")
            told = True
    assert runner.latest.phase is Phase.FINISHED, runner.latest.failure


def spawn(folder: RunFolder, start: int, total_steps: int = ENDLESS) -> tuple[int, int]:
    """A process that trains, and the pipe on which it tells of its first epoch.

    It is forked, so that torch has to be imported only once; nothing of torch runs before.
    """
    hear, tell = os.pipe()
    process = os.fork()
    if process:
        os.close(tell)
        return process, hear
    status = 1
    try:
        train(folder, start, tell, total_steps)
        status = 0
    except BaseException:  # noqa: BLE001 - a fork must never come back
        traceback.print_exc()
    os._exit(status)


def kill_once(folder: RunFolder, start: int) -> tuple[str, float]:
    """Trains and kills; at which kind of moment, and when."""
    process, hear = spawn(folder, start)
    moment = random.choices(("beginning", "checkpoint", "anywhere"), (0.2, 0.4, 0.4))[0]
    if moment == "beginning":
        time.sleep(random.uniform(0, 0.5))
    else:
        assert os.read(hear, 1), f"start {start} of {folder.path} did not train"
    if moment == "checkpoint":
        time.sleep(random.uniform(0, 0.5))
        while not any(folder.checkpoints.glob(PARTIAL)):
            time.sleep(0.0002)
        time.sleep(random.choice((0, random.uniform(0, 0.005))))
    if moment == "anywhere":
        time.sleep(random.uniform(0, LONGEST))
    os.kill(process, signal.SIGKILL)
    killed = time.monotonic()
    os.waitpid(process, 0)
    os.close(hear)
    return moment, killed


def check(folder: RunFolder, start: int, killed: float) -> int:
    """What must hold after a kill; how many rows were old enough that they had to be there."""
    with contextlib.suppress(FileNotFoundError), contextlib.ExitStack() as stack:
        if not folder.database.exists():
            raise FileNotFoundError
        connection = stack.enter_context(contextlib.closing(sqlite3.connect(folder.database)))
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    reader = StoreReader(folder.database)
    rows = reader.metrics_after(0)
    written = [] if "start" not in rows.values else rows.steps[rows.values["start"] == start]
    checkpoints = [row.step for row in reader.checkpoints()]
    blocks = reader.metrics_between(points=100)
    reader.close()
    try:
        given = list(ROW.iter_unpack((folder.path / f"trace-{start}").read_bytes()))
    except FileNotFoundError:
        given = []
    steps = [step for step, _ in given]
    # The trace may lack the row that was given last.
    assert list(written[: len(steps)]) == steps[: len(written)], "rows are missing or mixed up"
    old = sum(when < killed - GRACE for _, when in given)
    assert len(written) >= old, f"{old - len(written)} rows older than {GRACE} s are missing"
    if "start" in blocks.count:
        kept = blocks.count["start"].sum()
        assert kept <= len(rows.steps)
    saved, _ = newest_checkpoint(folder.checkpoints)
    step = saved.description["step"] if saved else -1
    assert step >= max(checkpoints, default=-1), "a checkpoint that was told of is gone"
    return old


def lane(name: str, kills: int, tally: Counter[str]) -> None:
    """Kills one run so many times, then lets it finish."""
    folder = RunFolder.create(name, "squared")
    folder.release()
    for start in range(kills):
        moment, killed = kill_once(folder, start)
        torn = len(list(folder.checkpoints.glob(PARTIAL)))
        old = check(folder, start, killed)
        tally.update({"kills": 1, moment: 1, "torn": torn, "rows_owed": old})
    saved, _ = newest_checkpoint(folder.checkpoints)
    steps = (saved.description["step"] if saved else 0) + 20_000
    process, hear = spawn(folder, kills, steps)
    status = os.waitpid(process, 0)[1]
    os.close(hear)
    assert status == 0, f"{name} cannot be resumed to its end"
    check(folder, kills, 0.0)
    tally["finished"] += 1


def fork_lane(name: str, kills: int) -> tuple[int, int]:
    """A process that works on one run, and the pipe on which it tells in JSON how it went."""
    hear, tell = os.pipe()
    process = os.fork()
    if process:
        os.close(tell)
        return process, hear
    told: Counter[str] | dict[str, str] = Counter()
    try:
        lane(name, kills, told)
    except BaseException as error:  # noqa: BLE001 - it is told
        told = {"failure": f"{name}: {type(error).__name__}: {error}"}
    os.write(tell, json.dumps(told).encode())
    os._exit(0)


def main() -> int:
    """Runs all lanes; 0 if nothing was ever lost."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--runs", type=int, default=4)
    options = parser.parse_args()
    importlib.import_module("pufftui.trainer.training.loop")
    with tempfile.TemporaryDirectory() as root:
        os.environ["PUFFTUI_RUNS"] = root
        shares = [len(range(index, options.kills, options.runs)) for index in range(options.runs)]
        # Lanes are processes, for a process with threads cannot be forked safely.
        lanes = [fork_lane(f"run-{index}", kills) for index, kills in enumerate(shares)]
        tally, failures = Counter[str](), []
        for process, hear in lanes:
            with os.fdopen(hear) as pipe:
                told = json.loads(pipe.read() or '{"failure": "a lane died"}')
            os.waitpid(process, 0)
            failures += [told.pop("failure")] if "failure" in told else []
            tally.update(told)
    print(json.dumps({**tally, "failures": failures}))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
