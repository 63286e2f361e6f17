"""Trains in the twenty worlds with untouched defaults, and with another library's PPO beside it.

Three columns: `ours` is `pufftui train` with the world's folder and nothing else; `plain` and `tuned` are
Stable-Baselines3's PPO as it comes and as its users set it (benchmarks/worlds/peer.py). One training
runs at a time, on as many cores as `--threads` says. Each that has finished is one line of
benchmarks/worlds/results.jsonl and is not run again, so this can be stopped at any time.

    python benchmarks/worlds.py ours --seeds 3
    python benchmarks/worlds.py plain tuned --peer-python /path/to/python
    python benchmarks/worlds.py --table

The ten worlds to judge by are trained only if `--half judging` asks for them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

HERE = Path(__file__).parent / "worlds"
sys.path.insert(0, str(HERE))

from suite import halves  # noqa: E402
from table import markdown  # noqa: E402

RESULTS = HERE / "results.jsonl"
COLUMNS = ("ours", "plain", "tuned")
SOURCES = ("pufftui", "trainer", "envs")
"""What makes `ours` learn as it does: its lines are told apart by the last commit of these."""

INSTALL = (
    "The peer needs a Python with stable-baselines3 beside pufftui: make one with `python -m venv"
    " --system-site-packages FOLDER`, install stable-baselines3 and pufftui in it, and name it with"
    " --peer-python FOLDER/bin/python."
)


def main() -> None:
    """Runs what is missing, or shows what is there."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("columns", nargs="*", metavar="COLUMN", help=", ".join(COLUMNS))
    parser.add_argument("--worlds", nargs="*", metavar="WORLD", help="some of the half's worlds")
    parser.add_argument("--half", choices=("working", "judging"), default="working")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=2, help="cores that a training may use")
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true", help="print the table, and run nothing")
    options = parser.parse_args()
    for column in options.columns:
        if column not in COLUMNS:
            parser.error(f"There is no column {column}; there are {', '.join(COLUMNS)}.")
    worlds = halves()[options.half == "judging"]
    for name in options.worlds or ():
        if name not in worlds:
            parser.error(f"{name} is not among the {options.half} worlds: {', '.join(worlds)}.")
    if options.table:
        print(markdown(read(options.results)))
        return
    jobs = [
        {"world": world, "column": column, "seed": seed, "steps": options.steps}
        for seed in range(1, options.seeds + 1)
        for column in options.columns
        for world in options.worlds or worlds
    ]
    versions = {column: version(column, options.peer_python) for column in options.columns}
    for job in jobs:
        job["version"] = versions[job["column"]]
        if any(job.items() <= line.items() for line in read(options.results)):
            continue
        line = job | train(job, options.threads, options.peer_python)
        with options.results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(f"{job['world']} {job['column']} {job['seed']}: {line['seconds']:.0f} s", flush=True)


def read(results: Path) -> list[dict[str, Any]]:
    """The lines that are there."""
    if not results.exists():
        return []
    return [json.loads(text) for text in results.read_text(encoding="utf-8").splitlines()]


def version(column: str, peer_python: str) -> str:
    """What a line's column was run with: the commit, or the library's version."""
    if column == "ours":
        commit = _git("log", "-1", "--format=%h", "--", *SOURCES)
        return commit + ("-changed" if _git("status", "--porcelain", "--", *SOURCES) else "")
    ask = "import pufftui.envs, stable_baselines3 as s; print(s.__version__)"
    try:
        asked = subprocess.run([peer_python, "-c", ask], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        sys.exit(INSTALL)
    return asked.stdout.strip()


def _git(*words: str) -> str:
    said = subprocess.run(
        ["git", *words], cwd=HERE.parents[1], capture_output=True, text=True, check=True
    )
    return said.stdout.strip()


def command(job: dict[str, Any], peer_python: str) -> list[str]:
    """How a training is started."""
    world, seed, steps = job["world"], str(job["seed"]), str(job["steps"])
    if job["column"] == "ours":
        words = [
            sys.executable,
            "-m",
            "pufftui",
            "train",
            str(HERE / world),
            "--headless",
            "--json",
        ]
        return [*words, "--seed", seed, "--train.total-steps", steps]
    peer = [peer_python, str(HERE / "peer.py"), world, job["column"]]
    return [*peer, "--seed", seed, "--steps", steps]


def train(job: dict[str, Any], threads: int, peer_python: str) -> dict[str, Any]:
    """One training from the start of its process: what a line holds besides the job.

    `points` are [step, seconds, seconds of the processor, score, episodes], each where the step changed.
    `warnings` are those that ours gave, by rule the step of the first: a run that learns should have none. The processor's seconds say more than those of the clock where other programs run as well.
    """
    points: list[list[float]] = []
    warnings: dict[str, int] = {}
    load, start = os.getloadavg()[0], time.perf_counter()
    with tempfile.TemporaryDirectory() as runs:
        process = subprocess.Popen(
            command(job, peer_python),
            env=os.environ | {"PUFFTUI_RUNS": runs, "OMP_NUM_THREADS": str(threads)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if job["column"] != "ours" else subprocess.DEVNULL,
            text=True,
        )
        if job["column"] == "ours" and hasattr(os, "sched_setaffinity"):
            # It starts as many threads as there are cores; the peer's are those of the variable above.
            os.sched_setaffinity(process.pid, sorted(os.sched_getaffinity(0))[:threads])
        try:
            finished = job["column"] != "ours"
            for line in _lines(process):
                finished |= line.get("reason") == "finished"
                for alert in line.get("alerts", ()):
                    if alert["level"] != "info":
                        warnings.setdefault(alert["rule"], alert["since_step"])
                new = "done" not in line and line["score"] is not None
                if new and (not points or line["step"] > points[-1][0]):
                    seconds = time.perf_counter() - start
                    point = [line["step"], seconds, worked(process.pid), line["score"]]
                    points.append([*(round(value, 4) for value in point), line["episodes"]])
        finally:
            process.terminate()
            said = process.communicate()[1]
    if process.returncode or not finished:
        sys.exit(f"{' '.join(command(job, peer_python))} did not finish.\n{said or ''}")
    return {
        "seconds": round(time.perf_counter() - start, 1),
        "threads": threads,
        "processor": processor(),
        "load": round(load, 1),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        "points": points,
        "warnings": warnings,
    }


def worked(pid: int) -> float:
    """Seconds of the processor that a process and those that it started have taken."""
    try:
        process = psutil.Process(pid)
        times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    except psutil.NoSuchProcess:
        return 0.0
    return sum(each.user + each.system for each in times)


def _lines(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    for text in process.stdout or ():
        if text.startswith("{"):
            yield json.loads(text)
    process.wait()


def processor() -> str:
    """The name of this machine's processor."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        return next(line for line in text.splitlines() if "model name" in line).split(": ")[1]
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
