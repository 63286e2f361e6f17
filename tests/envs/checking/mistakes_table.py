"""What `pufftui env check` and `pufftui train` say of each mistake, and after how many seconds.

    python tests/envs/checking/mistakes_table.py [--only WORD] [--steps 20k 200k 1M] [--train] [--screen]

prints a table in Markdown. `--screen` reads what the dashboard shows in a terminal. Training that goes on is ended after a minute and a half.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mistakes import MISTAKES, broken
from on_screen import said_on_screen

SMALL = (
    *("--headless", "--vec.threads", "1", "--vec.agents", "64", "--train.horizon", "16"),
    *("--train.minibatch-size", "1024", "--policy.hidden", "64", "--train.total-steps", "1M"),
)
LONGEST = 60.0
TOLD = re.compile(r"^(pufftui|Info|Warning|Critical): .*", re.MULTILINE)


def run(*arguments: str) -> tuple[float, int | None, str, str]:
    """Runs pufftui: seconds, exit status (None if it had to be ended), what it printed, what it complained."""
    began = time.monotonic()
    command = [sys.executable, "-m", "pufftui", *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace"
    )
    try:
        out, errors = process.communicate(timeout=LONGEST + 30)
        status: int | None = process.returncode
    except subprocess.TimeoutExpired:
        process.kill()
        out, errors = process.communicate()
        status = None
    return time.monotonic() - began, status, out, errors


def check(folder: Path, steps: str) -> tuple[float, int | None, str]:
    """What the check says: seconds, status, sentences."""
    seconds, status, out, errors = run("env", "check", str(folder), "--steps", steps, "--json")
    try:
        report = json.loads(out)
    except ValueError:
        return seconds, status, f"no report: {errors.strip().splitlines()[-1:]}"
    said = [finding["text"] for finding in report["findings"]] or ["good"]
    return seconds, status, " ".join(said) + f" ({report['steps']:,} steps)"


def train(folder: Path) -> tuple[float, int | None, str]:
    """What training says: seconds, status, sentences."""
    seconds, status, _, errors = run("train", str(folder), *SMALL)
    said = list(dict.fromkeys(match[0] for match in TOLD.finditer(errors)))
    return seconds, status, " ".join(said) or "nothing"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--steps", nargs="*", default=[])
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--screen", action="store_true")
    options = parser.parse_args()
    print("| mistake | how | seconds | status | said |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="pufftui-mistakes-") as place:
        os.environ["PUFFTUI_RUNS"] = f"{place}/runs"
        os.environ["XDG_CACHE_HOME"] = f"{place}/cache"
        for number, (name, mistake) in enumerate(MISTAKES.items()):
            if options.only not in name:
                continue
            parent = Path(place, str(number))
            parent.mkdir()
            folder = broken(parent, *mistake.changes)
            rows = [(steps, check(folder, steps)) for steps in options.steps]
            if options.train:
                rows.append(("train", train(folder)))
            if options.screen:
                arguments = (
                    "train",
                    str(folder),
                    *(each for each in SMALL if each != "--headless"),
                )
                rows.append(("screen", said_on_screen(arguments, LONGEST + 30)))
            for how, (seconds, status, said) in rows:
                ended = "still at it" if status is None else status
                shown = said.replace(f"{parent}/", "").replace("|", "\\|")
                print(f"| {name} | {how} | {seconds:.1f} | {ended} | {shown} |", flush=True)


if __name__ == "__main__":
    main()
