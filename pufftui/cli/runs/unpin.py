"""`pufftui runs unpin`: a pinned checkpoint may go again when newer ones need the room."""

from __future__ import annotations

from pufftui.cli.parser import CommandParser
from pufftui.cli.runs.pin import at_step, checkpoints, parse_target
from pufftui.trainer.store import pin


def run(arguments: list[str]) -> int:
    """Lets go all pinned checkpoints, or that of a step."""
    parser = CommandParser(
        "runs unpin", "No longer keeps pinned checkpoints: all of them, or the one of a step."
    )
    folder, step = parse_target(parser, arguments)
    there = checkpoints(folder)
    chosen = there if step is None else [at_step(folder, there, step)]
    pinned = [row for row in chosen if row.pinned]
    for row in pinned:
        pin(folder.database, row.file, pinned=False)
        print(f"The checkpoint at step {row.step:,} of {folder.id} is no longer kept for ever.")
    if not pinned:
        print(f"Nothing of {folder.id} was pinned there.")
    return 0
