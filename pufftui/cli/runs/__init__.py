"""`pufftui runs`: looks after the runs that are there; one module per subcommand."""

from __future__ import annotations

import difflib
import importlib

from pufftui.envs.errors import PuffError

SUBCOMMANDS = {
    "list": ("list [FILTER ...]", "every run, the newest first"),
    "compare": ("compare RUN RUN ...", "curves of several runs in one chart, and how they differ"),
    "check": ("check [RUN]", "what went wrong in a run, and what to do about it"),
    "rename": ("rename RUN NAME", "give a run another name"),
    "tag": ("tag RUN +TAG -TAG", "add tags to a run or take them off, to find it by"),
    "note": ("note RUN TEXT", "keep a note about a run"),
    "pin": ("pin RUN [STEP]", "keep a checkpoint for ever"),
    "unpin": ("unpin RUN [STEP]", "no longer keep it"),
    "export": ("export RUN FORMAT", "its metrics as csv or tensorboard, its policy as c"),
    "rm": ("rm RUN ...", "delete runs; asks first"),
}


def run(arguments: list[str]) -> int:
    """Runs the subcommand that `arguments` begin with; without one it lists."""
    if arguments[:1] in (["-h"], ["--help"], ["help"]):
        print(overview())
        return 0
    name, rest = (arguments[0], arguments[1:]) if arguments else ("list", [])
    if name not in SUBCOMMANDS:
        # Anything but a word is a filter: tag:good, note:"more", score>300.
        plain = name.isalpha()
        if plain and (close := difflib.get_close_matches(name, SUBCOMMANDS, n=1, cutoff=0.7)):
            hint = f"Did you mean {close[0]}? To search for it: pufftui runs list {name}."
            raise PuffError(f"There is no subcommand {name}.", hint, usage=True)
        name, rest = "list", arguments
    status: int = importlib.import_module(f"pufftui.cli.runs.{name}").run(rest)
    return status


def overview() -> str:
    """What `pufftui runs --help` prints."""
    width = max(len(usage) for usage, _ in SUBCOMMANDS.values())
    lines = [f"  pufftui runs {usage:{width}}  {what}" for usage, what in SUBCOMMANDS.values()]
    return "\n".join(
        [
            "Lists your runs and looks after them.",
            "",
            *lines,
            "",
            "Without a subcommand it lists, so   pufftui runs env=breakout   is enough.",
            "Every subcommand explains itself, as in:   pufftui runs list --help",
        ]
    )
