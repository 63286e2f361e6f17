"""`pufftui attach`: the dashboard of a run that another process trains, with the controls."""

from __future__ import annotations

from pufftui.cli.output import add_screen, check_screen, wishes
from pufftui.cli.parser import CommandParser
from pufftui.trainer.run.folder import LATEST, RunFolder


def run(arguments: list[str]) -> int:
    """Shows a run and controls it; returns 0, or 130 if a signal ended it."""
    parser = CommandParser(
        "attach", "The dashboard of a run that is trained elsewhere on this machine, with all keys."
    )
    parser.add_argument(
        "run", metavar="RUN", nargs="?", default=LATEST, help="the run's name; else the last one"
    )
    add_screen(parser, stream=True)
    parser.epilog = (
        "Leaving does not stop the run. For programs: the run's folder holds control.sock, which\n"
        "speaks JSON, a line at a time; it says hello with the version of its protocol."
    )
    options = parser.parse(arguments)
    folder = RunFolder.open(options.run)
    check_screen("attach", "Start it in one.", options.theme)
    from pufftui.apps.watch import attach_session, run_watch

    return run_watch(attach_session(folder), wishes(options))
