"""How long training with the default settings takes to a score: seconds from the process's start.

Each seed is a run of its own without the dashboard. Prints one JSON line per seed with the seconds
to each of the scores, and one with the medians.

    python benchmarks/score.py breakout 400 800 --seeds 3 --limit 600
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile


def seconds_to(
    env: str, scores: list[float], seed: int, limit: float, flags: list[str]
) -> list[float]:
    """When a run first reported each score; infinite if not within the limit."""
    command = [sys.executable, "-m", "pufftui", "train", env, "--headless", "--json"]
    command += ["--seed", str(seed), *flags]
    reached = [math.inf] * len(scores)
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
                    break
                for place, score in enumerate(scores):
                    if line["score"] is not None and line["score"] >= score:
                        reached[place] = min(reached[place], float(line["seconds"]))
                if math.inf not in reached:
                    break
        finally:
            process.terminate()
            process.communicate()
    return reached


def told(scores: list[float], seconds: list[float]) -> dict[str, float | None]:
    """The seconds by score; none for what was not reached."""
    return {
        f"{score:g}": when if math.isfinite(when) else None
        for score, when in zip(scores, seconds, strict=True)
    }


def main() -> None:
    """Measures the seeds one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("env")
    parser.add_argument("scores", type=float, nargs="+")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=360.0, help="seconds")
    options, flags = parser.parse_known_args()
    found = []
    for seed in range(1, options.seeds + 1):
        found.append(seconds_to(options.env, options.scores, seed, options.limit, flags))
        line = {"env": options.env, "seed": seed, "seconds": told(options.scores, found[-1])}
        print(json.dumps(line), flush=True)
    medians = [statistics.median(seconds) for seconds in zip(*found, strict=True)]
    print(json.dumps({"env": options.env, "median_seconds": told(options.scores, medians)}))


if __name__ == "__main__":
    main()
