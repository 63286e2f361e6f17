"""`pufftui runs note`: a person's words about a run."""

from __future__ import annotations

from datetime import datetime

from pufftui.appearance.format import steps
from pufftui.appearance.harmless import harmless
from pufftui.cli.parser import CommandParser
from pufftui.runs.summary import summarise
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.store import StoreReader, add_note


def run(arguments: list[str]) -> int:
    """Keeps a note at the step the run is at, also while it is trained; without one prints all."""
    parser = CommandParser("runs note", "Keeps a note about a run, live or not.")
    parser.epilog = "Without a text it prints the notes of the run."
    parser.add_argument("run", metavar="RUN", help="its name, or latest")
    parser.add_argument("text", metavar="TEXT", nargs="*", help="what you want to remember")
    options = parser.parse(arguments)
    folder = RunFolder.open(options.run)
    text = " ".join(options.text).strip()
    if text:
        add_note(folder.database, summarise(folder, ()).step, text)
        return 0
    for note in StoreReader(folder.database, at_once=True).notes_after(0):
        when = datetime.fromtimestamp(note.at).astimezone()
        print(f"{when:%Y-%m-%d %H:%M}  step {steps(note.step)}  {harmless(note.text)}")
    return 0
