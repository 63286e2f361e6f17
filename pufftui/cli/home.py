"""`pufftui home`, and `pufftui` alone on a terminal: choose what to train, watch or play."""

from __future__ import annotations

from pufftui.cli.output import add_screen, check_screen, wishes
from pufftui.cli.parser import CommandParser


def run(arguments: list[str]) -> int:
    """Shows the home screen until the person leaves; the exit status."""
    parser = CommandParser("home", "Shows the environments and the last runs to choose from.")
    add_screen(parser)
    options = parser.parse(arguments, ["--version"])
    check_screen("The home screen", "See pufftui --help for the commands.", options.theme)
    from pufftui.apps.home import run_home

    return run_home(wishes(options))
