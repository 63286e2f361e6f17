"""What the dashboard costs: training speed with it over without it, in interleaved pairs.

Each run is a process of its own; the one with the dashboard draws on a terminal of 200 x 60 that
is read and thrown away. Prints one JSON line per pair and one with the median ratio.

    python benchmarks/overhead.py --env breakout --pairs 5 --seconds 20
    python benchmarks/overhead.py --spare 1     # whether it costs less if training leaves a core to the screen
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import pty
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path

from pufftui.envs.cores import available_cores
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.store import StoreReader

WARM_UP = 8.0
COLUMNS, ROWS = 200, 60


def speed(env: str, seconds: float, *, dashboard: bool, spare: int = 0) -> float:
    """Agent steps a second of one run after its warm-up, from what it stored; with a dashboard, `spare` threads fewer."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PUFFTUI_RUNS"] = folder
        command = [sys.executable, "-m", "pufftui", "train", env, "--run-name", "run"]
        command += ["--train.total-steps", "1T"]
        if not dashboard:
            command += ["--headless"]
        elif spare:
            command += ["--vec.threads", str(max(1, available_cores() - spare))]
        process, _ = start(command)
        time.sleep(WARM_UP + seconds)
        os.kill(process, signal.SIGTERM)
        os.waitpid(process, 0)
        reader = StoreReader(RunFolder(Path(folder) / "run").database)
        rows = reader.metrics_after(0)
        reader.close()
    late = rows.seconds >= rows.seconds[-1] - seconds
    steps, times = rows.steps[late], rows.seconds[late]
    return float((steps[-1] - steps[0]) / (times[-1] - times[0]))


def start(command: list[str]) -> tuple[int, int]:
    """Runs a command on a terminal of its own, which a thread reads: its process id and terminal."""
    process, terminal = pty.fork()
    if process == 0:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
        os.execvp(command[0], command)  # noqa: S606
    size = struct.pack("HHHH", ROWS, COLUMNS, 0, 0)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, size)
    threading.Thread(target=drain, args=(terminal,), daemon=True).start()
    return process, terminal


def drain(terminal: int) -> None:
    """Throws away what a terminal shows until it is closed."""
    try:
        while select.select([terminal], [], []) and os.read(terminal, 65536):
            pass
    except OSError:
        os.close(terminal)


def main() -> None:
    """Measures the pairs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--env", default="breakout")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument(
        "--spare", type=int, default=0, help="threads that training has fewer beside the dashboard"
    )
    options = parser.parse_args()
    ratios = []
    for pair in range(options.pairs):
        # Which comes first alternates, so that a drift of the machine's speed cancels.
        order = (True, False) if pair % 2 else (False, True)
        found = {
            dashboard: speed(options.env, options.seconds, dashboard=dashboard, spare=options.spare)
            for dashboard in order
        }
        ratios.append(found[True] / found[False])
        line = {"headless": found[False], "dashboard": found[True], "ratio": ratios[-1]}
        print(json.dumps(line), flush=True)
    median = statistics.median(ratios)
    print(json.dumps({"env": options.env, "spare": options.spare, "median_ratio": median}))


if __name__ == "__main__":
    main()
