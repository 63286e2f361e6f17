"""Whether memory stays flat: what the process of a training with its dashboard takes, minute by minute.

Every minute it gets keys as from a person who looks around: charts, another axis, the game alone,
a dialog, another theme, a moment at the controls. Prints one JSON line a minute, and at the end
how much the memory grew in an hour, as the slope of the second half.

    python benchmarks/memory.py --env breakout --minutes 60
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time

import numpy as np
import psutil
from overhead import start

KEYS = ("6", "x", "w", "1", "0", "?", "\x1b", "t", "m", "\x1b", "b", " ", " ", "0")


def main() -> None:
    """Measures one run."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--env", default="breakout")
    parser.add_argument("--minutes", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"PUFFTUI_RUNS": folder, "XDG_CONFIG_HOME": folder}
        command = [sys.executable, "-m", "pufftui", "train", options.env, "--run-name", "run"]
        process, terminal = start([*command, "--train.total-steps", "1T"])
        seen = psutil.Process(process)
        sizes = []
        for minute in range(1, options.minutes + 1):
            end = time.monotonic() + 60
            for key in KEYS:
                time.sleep(1)
                os.write(terminal, key.encode())
            time.sleep(end - time.monotonic())
            sizes.append(seen.memory_info().rss / 2**20)
            print(json.dumps({"minute": minute, "megabytes": round(sizes[-1], 1)}), flush=True)
        os.kill(process, signal.SIGTERM)
        os.waitpid(process, 0)
    half = np.array(sizes[len(sizes) // 2 :])
    slope = float(np.polyfit(np.arange(len(half)), half, 1)[0]) * 60 if len(half) > 1 else 0.0
    print(json.dumps({"env": options.env, "megabytes_per_hour": round(slope, 1)}))


if __name__ == "__main__":
    main()
