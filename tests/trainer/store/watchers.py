"""Two processes watch a run that is being trained, and must see every row once, without an error.

The trainer is real and small, and held back so that it leaves the machine to others. Prints one
line of JSON.

    python tests/trainer/store/watchers.py --seconds 600
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pufftui.trainer.store import StoreReader

WATCHERS = 2

TRAIN = (
    "train squared --headless --run-name it --policy.memory none --policy.hidden 32 --vec.agents 64"
    " --vec.threads 1 --run.checkpoint-minutes 0.05 --train.total-steps 1e12"
)


def watch(database: Path, until: Path) -> None:
    """Follows everything in the store until a file appears; prints what it saw as JSON."""
    reader = StoreReader(database)
    seen: dict[str, list[int]] = {"metrics": [], "events": [], "system": [], "episodes": []}
    last = dict.fromkeys(seen, 0)
    polls = zooms = 0
    done = False
    while not done:
        done = until.exists()  # then once more, for the trainer has ended
        rows = reader.metrics_after(last["metrics"])
        seen["metrics"] += rows.steps.tolist()
        last["metrics"] = rows.last
        for name, found in (
            ("events", reader.events_after(last["events"])),
            ("system", reader.system_after(last["system"])),
        ):
            seen[name] += [row.id for row in found]
            last[name] = max([last[name], *(row.id for row in found)])
        last["episodes"], episodes = reader.episodes_after(last["episodes"])
        seen["episodes"] += [last["episodes"]] * len(episodes)
        polls += 1
        if polls % 10 == 0 and last["metrics"]:
            blocks = reader.metrics_between(points=100)
            assert blocks.last >= last["metrics"]
            assert len(blocks.first_steps) <= 100 + 2 * 16 * 4
            zooms += 1
        time.sleep(0.1)
    reader.close()
    print(json.dumps({"polls": polls, "zooms": zooms, **{k: len(v) for k, v in seen.items()}}))
    print(json.dumps(seen["metrics"]))


def main() -> int:
    """Trains, lets others watch, compares; 0 if nobody missed anything."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--watch", nargs=2, type=Path, metavar=("STORE", "UNTIL"))
    options = parser.parse_args()
    if options.watch:
        watch(*options.watch)
        return 0
    with tempfile.TemporaryDirectory() as root:
        return compare(Path(root), options.seconds)


def compare(root: Path, seconds: float) -> int:
    """Watches a run in `root` for so long."""
    database, until = root / "runs" / "it" / "run.db", root / "ended"
    trainer = subprocess.Popen(
        [sys.executable, "-m", "pufftui", *TRAIN.split()],
        cwd=root,
        env=os.environ | {"PUFFTUI_RUNS": str(root / "runs"), "OMP_NUM_THREADS": "1"},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    command = [sys.executable, __file__, "--watch", str(database), str(until)]
    watchers = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(WATCHERS)
    ]
    reader = StoreReader(database)
    begun = time.monotonic()
    while not len(reader.metrics_after(0).steps) and time.monotonic() < begun + 100:
        time.sleep(0.1)
    hold_back(trainer, time.monotonic() + seconds)
    trainer.send_signal(signal.SIGTERM)
    status = trainer.wait(60)
    until.touch()
    steps = reader.metrics_after(0).steps.tolist()
    errors = [event.text for event in reader.events_after(0) if event.kind == "error"]
    counts = {
        "metrics": len(steps),
        "events": len(reader.events_after(0)),
        "system": len(reader.system_after(0)),
        "episodes": len(reader.episodes_after(0)[1]),
    }
    reader.close()
    good, told = status == 130 and not errors, []
    for watcher in watchers:
        said = watcher.communicate(timeout=60)[0].splitlines()
        if watcher.returncode == 0:
            told.append(json.loads(said[0]))
            good &= json.loads(said[1]) == steps
            good &= all(told[-1][name] == count for name, count in counts.items())
        else:
            told.append({"error": said[-1] if said else "silent"})
            good = False
    outcome = {"good": good, "status": status, "errors": errors, "stored": counts, "watchers": told}
    print(json.dumps(outcome))
    return 0 if good else 1


def hold_back(trainer: subprocess.Popen[bytes], end: float) -> None:
    """Lets the trainer work a quarter of the time until the end, like a slow machine."""
    time.sleep(min(5.0, (end - time.monotonic()) / 2))
    while time.monotonic() < end:
        trainer.send_signal(signal.SIGSTOP)
        time.sleep(0.75)
        trainer.send_signal(signal.SIGCONT)
        time.sleep(0.25)


if __name__ == "__main__":
    sys.exit(main())
