"""The command line: one module per command, each imported only when it is called.

Every module has `run(arguments) -> int`, which returns the exit status.
"""

from __future__ import annotations

import importlib
import os
import sys

from pufftui.envs.errors import PuffError, nearest

COMMANDS = {
    "home": ("home", "choose what to train, watch or play; the same as pufftui alone"),
    "train": ("train ENV", "train an agent and watch it live"),
    "resume": ("resume [RUN]", "continue a run from its newest checkpoint"),
    "watch": ("watch [RUN]", "look at a run, live or finished, and change nothing"),
    "attach": ("attach [RUN]", "watch and control a run that another process trains"),
    "play": ("play ENV", "play a game yourself, beside a trained policy"),
    "eval": ("eval POLICY", "play a policy without training, and say how well it plays"),
    "runs": ("runs", "list, compare, tag, export or delete your runs"),
    "envs": ("envs", "list the environments"),
    "env": ("env new|check ...", "start an environment of your own, or check one"),
    "bench": ("bench [ENV ...]", "measure the speed of environments and training"),
    "doctor": ("doctor", "check this machine and say how to fix what is missing"),
}


def run(arguments: list[str]) -> int:
    """Runs the command that `arguments` begin with; without one, the home screen if there is a terminal."""
    if not arguments and _is_terminal():
        arguments = ["home"]
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(overview())
        return 0
    name, *rest = arguments
    if name in ("-V", "--version"):
        from importlib.metadata import version

        print(f"pufftui {version('pufftui')}")
        return 0
    if name.startswith("-"):
        name, rest = "home", arguments
    if name not in COMMANDS:
        raise PuffError(f"There is no command {name}.", nearest(name, COMMANDS), usage=True)
    status: int = importlib.import_module(f"pufftui.cli.{name}").run(rest)
    return status


def _is_terminal() -> bool:
    from pufftui.terminal.private import places_cursor

    whole = sys.stdin.isatty() and sys.stdout.isatty()
    return whole and places_cursor(os.environ.get("TERM", ""))


def overview() -> str:
    """What `pufftui --help` prints."""
    width = max(len(usage) for usage, _ in COMMANDS.values())
    lines = [f"  pufftui {usage:{width}}  {summary}" for usage, summary in COMMANDS.values()]
    return "\n".join(
        [
            "pufftui, a terminal cockpit for reinforcement learning",
            "",
            *lines,
            "",
            "Start with:   pufftui train breakout",
            "Every command explains itself, as in:   pufftui train --help",
        ]
    )
