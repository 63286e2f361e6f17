"""How long training with the default settings takes to a score: seconds from the process's start.

Each seed is a run of its own without the dashboard. Prints one JSON line per seed and one with the
median.

    python benchmarks/score.py breakout 400 --seeds 3 --limit 360
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile


def seconds_to(env: str, score: float, seed: int, limit: float, flags: list[str]) -> float | None:
    """When a run first reported the score; None if not within the limit."""
    command = [sys.executable, "-m", "pufftui", "train", env, "--headless", "--json"]
    command += ["--seed", str(seed), *flags]
    with tempfile.TemporaryDirectory() as runs:
        process = subprocess.Popen(
            command,
            env=os.environ | {"PUFFTUI_RUNS": runs},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            for text in process.stdout or ():
                line = json.loads(text)
                if "done" in line or line["seconds"] > limit:
                    return None
                if line["score"] is not None and line["score"] >= score:
                    return float(line["seconds"])
        finally:
            process.terminate()
            process.communicate()
    return None


def main() -> None:
    """Measures the seeds one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("env")
    parser.add_argument("score", type=float)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=360.0, help="seconds")
    options, flags = parser.parse_known_args()
    found = []
    for seed in range(1, options.seeds + 1):
        seconds = seconds_to(options.env, options.score, seed, options.limit, flags)
        found.append(float("inf") if seconds is None else seconds)
        print(json.dumps({"env": options.env, "seed": seed, "seconds": seconds}), flush=True)
    median = statistics.median(found)
    reached = median if median != float("inf") else None
    print(json.dumps({"env": options.env, "score": options.score, "median_seconds": reached}))


if __name__ == "__main__":
    main()
