"""What the dashboard costs, measured within one run: it stands still for every other stretch of time.

Two runs of a process each (`overhead.py`) differ by more than the dashboard costs on a machine that
others use too. Here one run draws on a terminal of 200 x 60, and screen and arena take turns between
working and resting every few seconds while training goes on. The frame rate has settled before that
and then stays. Prints one JSON line per pair of stretches and one with the median ratio.

    python benchmarks/overhead_within.py --env breakout --pairs 20 --stretch 5
    python benchmarks/overhead_within.py --card 7.7 3.5 --frames 30

The second line imitates a GPU that collects for 7.7 ms of an epoch and learns for 3.5: what is left is what
the interpreter's lock costs, since the trainer leaves the processor alone.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from overhead import start

from pufftui.__main__ import main as pufftui
from pufftui.apps.training import PuffApp
from pufftui.screens.controllers.machine import MachineController
from pufftui.trainer.messages.command import PauseGame, SetFrameRate, SetPictureSize
from pufftui.trainer.messages.snapshot import Snapshot

WARM_UP = 15.0


class Gate:
    """Lets the dashboard's tick through, or not, and writes how fast training was meanwhile.

    The first line is of a stretch with the dashboard, the next without, and so on.
    """

    def __init__(self, stretch: float, output: Path, frames: float | None) -> None:
        self._stretch, self._output, self._frames = stretch, output, frames
        self._tick = PuffApp.tick
        self._open = True
        self._begun: Snapshot | None = None
        self._epoch = 0
        self._size = (0, 0)

    def tick(self, app: Any) -> None:
        """Stands in for the application's own."""
        now = app.session.runner.latest
        # At the end of an epoch, for in the middle of one its seconds count and its steps do not.
        fresh, self._epoch = now.epoch != self._epoch, now.epoch
        if fresh and self._begun is None and now.seconds > WARM_UP:
            self._settle(app, now)
        elif fresh and self._begun and now.seconds - self._begun.seconds >= self._stretch:
            self._switch(app, now)
        if self._open:
            self._tick(app)

    def _settle(self, app: Any, now: Snapshot) -> None:
        MachineController.keep_pace = lambda *_, **__: None
        if self._frames is not None:
            app.session.arena.send(SetFrameRate(self._frames))
        self._begun = now

    def _switch(self, app: Any, now: Snapshot) -> None:
        begun = self._begun
        assert begun is not None
        speed = (now.step - begun.step) / (now.seconds - begun.seconds)
        with self._output.open("a") as file:
            file.write(f"{speed}\n")
        self._open, self._begun = not self._open, now
        arena = app.session.arena
        if not self._open:
            height, width = arena.latest.pixels.shape[:2]
            self._size = (width, height)
        arena.send(SetPictureSize(*(self._size if self._open else (0, 0))))
        arena.send(PauseGame(paused=not self._open))


def train(options: argparse.Namespace) -> None:
    """The process that is measured."""
    gate = Gate(options.stretch, options.output, options.frames)
    PuffApp.tick = lambda app: gate.tick(app)  # noqa: PLW0108
    command = ["train", options.env, "--run-name", "run", "--train.total-steps", "1T"]
    if options.card is not None:
        from imitated_card import SMALL, imitate

        imitate(*(milliseconds / 1e3 for milliseconds in options.card))
        command += ["--device", "cpu"]
        command += [part for name, value in SMALL.items() for part in (f"--{name}", value)]
    sys.exit(pufftui(command))


def measure(options: argparse.Namespace) -> list[dict[str, float]]:
    """The pairs of one run."""
    pairs: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PUFFTUI_RUNS"] = folder
        # The program does so itself, but here it begins after numpy was loaded.
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
        output = Path(folder) / "stretches"
        output.touch()
        command = [sys.executable, *sys.argv, "--output", str(output)]
        process, _ = start(command)
        while len(pairs) < options.pairs:
            if os.waitpid(process, os.WNOHANG) != (0, 0):
                sys.exit("The run has ended before it was measured.")
            time.sleep(1)
            speeds = [float(line) for line in output.read_text().splitlines()]
            for shown, still in list(zip(speeds[::2], speeds[1::2], strict=False))[len(pairs) :]:
                pairs.append({"still": still, "dashboard": shown, "ratio": shown / still})
                print(json.dumps(pairs[-1]), flush=True)
        os.kill(process, signal.SIGTERM)
        os.waitpid(process, 0)
    return pairs


def main() -> None:
    """Measures one run."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--env", default="breakout")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--stretch", type=float, default=5.0, help="seconds")
    parser.add_argument("--frames", type=float, help="a second, instead of what the machine allows")
    parser.add_argument(
        "--card",
        type=float,
        nargs=2,
        metavar=("COLLECT", "LEARN"),
        help="imitate one: milliseconds of an epoch",
    )
    parser.add_argument("--output", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.output is not None:
        train(options)
    pairs = measure(options)
    median = statistics.median(pair["ratio"] for pair in pairs)
    print(json.dumps({"env": options.env, "pairs": len(pairs), "median_ratio": median}))


if __name__ == "__main__":
    main()
