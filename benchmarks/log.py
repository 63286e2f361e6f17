"""What a call of `run.log` costs a script: prints the median and the 99th percentile as JSON."""

from __future__ import annotations

import json
import os
import tempfile
import time

import numpy as np

CALLS = 100_000
NAMES = ("loss", "accuracy", "learning_rate", "gradient_norm", "reward")


def main() -> None:
    """Logs five numbers a call into a run in a temporary folder, without a pause."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PUFFTUI_RUNS"] = folder
        from pufftui import log

        times = np.empty(CALLS)
        values = dict.fromkeys(NAMES, 0.5)
        with log.start("benchmark") as run:
            for step in range(CALLS):
                began = time.perf_counter()
                run.log(step, values)
                times[step] = time.perf_counter() - began
    microseconds = {
        "median": round(float(np.median(times)) * 1e6, 2),
        "p99": round(float(np.percentile(times, 99)) * 1e6, 2),
        "highest": round(float(times.max()) * 1e6, 1),
    }
    print(json.dumps({"kind": "log", "calls": CALLS, "values": len(NAMES), "us": microseconds}))


if __name__ == "__main__":
    main()
