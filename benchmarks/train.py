"""Training speed of all environments under the fixed workload, beside an earlier measurement.

Prints the lines of `pufftui bench --json`, and on stderr a table with the ratio to a baseline: a
file that an earlier run of this script printed.

    python benchmarks/train.py > today.jsonl
    python benchmarks/train.py --baseline today.jsonl breakout squared
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

Key = tuple[Any, ...]


def key(line: dict[str, Any]) -> Key:
    """What has to be equal for two figures to be comparable."""
    return tuple(line[name] for name in ("kind", "env", "memory", "hidden", "device", "threads"))


def read(file: Path) -> dict[Key, float]:
    """Steps a second by what was measured."""
    lines = [json.loads(text) for text in file.read_text(encoding="utf-8").splitlines()]
    return {key(line): line["sps"] for line in lines}


def main() -> None:
    """Measures, prints, compares."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("envs", nargs="*")
    parser.add_argument("--baseline", type=Path)
    parser.add_argument("--seconds", default="30")
    options = parser.parse_args()
    before = read(options.baseline) if options.baseline else {}
    command = [sys.executable, "-m", "pufftui", "bench", *options.envs, "--json"]
    command += ["--seconds", options.seconds]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for text in process.stdout or ():
            print(text, end="", flush=True)
            line = json.loads(text)
            old = before.get(key(line))
            ratio = f"{line['sps'] / old:6.2f}x" if old else "      -"
            what = f"{line['env']} {line['kind']} {line['memory'] or ''}"
            row = f"{what:32} {line['threads']:3} threads {line['sps']:14,.0f} steps/s {ratio}"
            print(row, file=sys.stderr)
    sys.exit(process.returncode)


if __name__ == "__main__":
    main()
