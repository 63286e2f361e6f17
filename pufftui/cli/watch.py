"""`pufftui watch`: the dashboard of a run that another process trains, or of one that has ended."""

from __future__ import annotations

from pufftui.cli.output import add_screen, check_screen, wishes
from pufftui.cli.parser import CommandParser
from pufftui.trainer.run.folder import LATEST, RunFolder


def run(arguments: list[str]) -> int:
    """Shows a run without touching it; returns 0, or 130 if a signal ended it."""
    parser = CommandParser(
        "watch", "Shows a run, live or finished, on any terminal, and changes nothing."
    )
    parser.add_argument(
        "run",
        metavar="RUN",
        nargs="?",
        default=LATEST,
        help="name of the run; without it, the last one",
    )
    add_screen(parser, stream=True)
    options = parser.parse(arguments)
    folder = RunFolder.open(options.run)
    check_screen("watch", "Start it in one.", options.theme)
    from pufftui.apps.watch import run_watch, watch_session

    return run_watch(watch_session(folder), wishes(options))
