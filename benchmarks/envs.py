"""Prints, as JSON lines, how fast each bundled environment steps on one thread and on all cores.

python benchmarks/envs.py [SECONDS PER FIGURE]
"""

from __future__ import annotations

import json
import sys

from pufftui.envs.benchmark import measure
from pufftui.envs.catalogue import env_names, load_env
from pufftui.envs.vector import available_cores


def main() -> None:
    """Measures everything in turn."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    for name in env_names():
        for threads in sorted({1, available_cores()}):
            print(json.dumps(measure(load_env(name), threads, seconds).as_dict()), flush=True)


if __name__ == "__main__":
    main()
