"""How fast each bundled environment steps on one thread and on all cores, as JSON lines.

    python benchmarks/envs.py --seconds 2

Each environment gets some 2048 agents and random actions.
"""

from __future__ import annotations

import argparse
import json

from pufftui.envs.benchmark import measure
from pufftui.envs.catalogue import env_names, load_env
from pufftui.envs.cores import available_cores


def main() -> None:
    """Measures everything in turn."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=2.0, help="for each figure")
    seconds = parser.parse_args().seconds
    for name in env_names():
        for threads in sorted({1, available_cores()}):
            print(json.dumps(measure(load_env(name), threads, seconds).as_dict()), flush=True)


if __name__ == "__main__":
    main()
