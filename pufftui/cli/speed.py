"""The speed of an environment's code as training runs it, measured in a process of its own.

    python -m pufftui.cli.speed PLACE SECONDS AGENTS ENV...

writes a line of JSON for each environment to the file `speed` in the folder PLACE, and what ended the
process to the file `told`. What an environment prints there goes nowhere.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from pufftui.envs.catalogue import EnvFolder, env_names
from pufftui.envs.checking.findings import Finding

SECONDS = 0.2
"""Of each measurement."""
LONGEST_PASS = 0.5
"""Seconds in which all agents should have made the steps of a rollout."""
LONGEST = 20.0
"""Seconds after which nothing more is waited for."""


def measure_speed(folder: EnvFolder, pace: float) -> tuple[dict[str, float], list[Finding]]:
    """Nanoseconds of an agent step on one thread, of this environment and the bundled ones.

    `pace` is about how many seconds a step takes. What the environment does to the process there is found.
    """
    from pufftui.envs.benchmark import AGENTS, SLOTS

    agents = min(max(int(LONGEST_PASS / (SLOTS * max(pace, 1e-9))), 1), AGENTS)
    names = [folder.id, *(name for name in env_names() if name != folder.id)]
    with tempfile.TemporaryDirectory(prefix="pufftui-speed-") as place:
        command = [sys.executable, "-m", __name__, place, str(SECONDS), str(agents), *names]
        try:
            ended = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
                timeout=LONGEST,
            )
            status: int | None = ended.returncode
        except subprocess.TimeoutExpired:
            status = None
        speed = _read(Path(place, "speed"))
        told = _read_text(Path(place, "told"))
    if status == 0 or folder.id in speed:
        return speed, []
    return speed, [_finding(status, told)]


def _finding(status: int | None, told: str) -> Finding:
    if status is None:
        text = f"Steps of many games, as in training, do not end within {LONGEST:.0f} seconds."
        return Finding("endless", text, "Look for a loop whose condition can stay true.")
    what, _, place = (
        told.removeprefix("pufftui: ").splitlines()[0].partition(" in the code of ")
        if told
        else ("", "", "")
    )
    _, _, where = place.partition(" (")
    how = what or f"the process ended with status {status}"
    text = f"It crashes when its speed is measured, after many steps: {how}{f', in {where[:-1]}' if where else ''}."
    return Finding(
        "crash",
        text,
        "Fix the line that is named." if where else "Look at what it does with memory.",
    )


def _read(path: Path) -> dict[str, float]:
    return dict(json.loads(line) for line in _read_text(path).splitlines())


def _read_text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def main(place: str, seconds: str, agents: str, *names: str) -> None:
    """Measures one environment after the other."""
    from pufftui.envs.benchmark import measure
    from pufftui.envs.catalogue import load_env
    from pufftui.terminal.guard import guarded

    with (
        Path(place, "speed").open("w", encoding="utf-8") as results,
        Path(place, "told").open("w", encoding="utf-8") as told,
        Path(place, "stacks").open("w", encoding="utf-8") as log,
        guarded(told.fileno(), log, "\n", is_screen=False) as guard,
    ):
        for name in names:
            library = load_env(name, named_here=True)
            guard.suspect(library.path, name)
            guard.listen()
            speed = measure(library, 1, float(seconds), int(agents))
            results.write(json.dumps([speed.env, speed.ns_per_step]) + "\n")
            results.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
