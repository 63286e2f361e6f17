"""`pufftui attach`: the dashboard of a run that another process trains, with the controls."""

from __future__ import annotations

from pufftui.cli.output import add_screen, check_screen, wishes
from pufftui.cli.parser import CommandParser
from pufftui.trainer.run.folder import LATEST, RunFolder


def run(arguments: list[str]) -> int:
    """Shows a run and controls it; returns 0, or 130 if a signal ended it."""
    parser = CommandParser(
        "attach",
        "Shows the dashboard of a run that another process on this machine trains, with all keys.",
    )
    parser.add_argument(
        "run",
        metavar="RUN",
        nargs="?",
        default=LATEST,
        help="name of the run; without it, the last one",
    )
    add_screen(parser, stream=True)
    parser.epilog = (
        "Leaving does not stop the run. Programs can use control.sock in the run's folder: it speaks\n"
        "JSON, one object a line, and its greeting names the version of its protocol."
    )
    options = parser.parse(arguments)
    folder = RunFolder.open(options.run)
    check_screen("attach", "Start it in one.", options.theme)
    from pufftui.apps.watch import attach_session, run_watch

    return run_watch(attach_session(folder), wishes(options))
