"""`pufftui runs rm`: deletes runs, after it has said what is lost."""

from __future__ import annotations

import sys

from pufftui.appearance.format import duration, figure, memory, steps
from pufftui.cli.parser import CommandParser
from pufftui.envs.errors import PuffError
from pufftui.runs.summary import BROKEN, summarise
from pufftui.trainer.run.folder import RunFolder


def run(arguments: list[str]) -> int:
    """Deletes runs that nobody trains; asks about each; 1 if one was kept."""
    parser = CommandParser(
        "runs rm", "Deletes runs for good; asks first, and not while one is trained."
    )
    parser.add_argument("runs", metavar="RUN", nargs="+", help="their names, or latest")
    parser.add_argument("--yes", action="store_true", help="delete without asking")
    options = parser.parse(arguments)
    # All names are looked up before anything is lost, so `latest` is one run.
    folders = {folder.id: folder for folder in map(RunFolder.open, options.runs)}
    if not options.yes and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise PuffError(
            "rm asks before it deletes, and there is no terminal to ask on.",
            "To delete without being asked, add --yes.",
            usage=True,
        )
    kept = 0
    for folder in folders.values():
        lost = what_is_lost(folder)
        if options.yes or _asks(lost):
            folder.remove()
            print(f"{lost} Deleted.")
        else:
            kept += 1
            print(f"{folder.id} is kept.")
    return 1 if kept else 0


def what_is_lost(folder: RunFolder) -> str:
    """The run in a sentence: how long it learnt, how well, and what goes with it."""
    run, size = summarise(folder, ()), memory(folder.size())
    if run.state == BROKEN:
        return f"{folder.id}: {size} of a run that cannot be read."
    parts = [f"{steps(run.step)} steps of {run.env or 'something'} in {duration(run.seconds)}"]
    if run.score is not None:
        parts.append(f"score {figure(run.score)}")
    counts = {
        "checkpoint": len(list(folder.checkpoints.glob("step-*.npz"))),
        "demonstration": len(list(folder.demonstrations.glob("*.npz"))),
        "note": len(run.notes),
        "tag": len(run.tags),
    }
    parts += [f"{n} {word}{'s' if n > 1 else ''}" for word, n in counts.items() if n]
    return f"{folder.id}: {', '.join(parts)}; {size}."


def _asks(lost: str) -> bool:
    sys.stderr.write(f"{lost} Delete it for good? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
