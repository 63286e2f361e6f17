"""`pufftui runs rename`: another name for a run."""

from __future__ import annotations

from pufftui.cli.parser import CommandParser
from pufftui.trainer.run.folder import RunFolder


def run(arguments: list[str]) -> int:
    """Renames a run that nobody trains."""
    parser = CommandParser("runs rename", "Gives a run another name; not while it is trained.")
    parser.add_argument("run", metavar="RUN", help="its name, or latest")
    parser.add_argument("name", metavar="NAME", help="the new name")
    options = parser.parse(arguments)
    folder = RunFolder.open(options.run)
    before = folder.id
    folder.rename(options.name)
    print(f"{before} is now {folder.id}.")
    return 0
