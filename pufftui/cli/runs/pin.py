"""`pufftui runs pin`: a checkpoint that is never deleted to make room for newer ones."""

from __future__ import annotations

from pufftui.cli.parser import CommandParser
from pufftui.envs.errors import PuffError
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.settings.sources import parse_number
from pufftui.trainer.store import CheckpointRow, StoreReader, pin


def run(arguments: list[str]) -> int:
    """Pins the newest checkpoint, or that of a step."""
    parser = CommandParser(
        "runs pin", "Keeps a checkpoint for ever: the newest, or the one of a step."
    )
    folder, step = parse_target(parser, arguments)
    there = checkpoints(folder)
    if not there:
        raise PuffError(f"{folder.id} has no checkpoint yet.", "Pin one when it has.", usage=True)
    chosen = there[-1] if step is None else at_step(folder, there, step)
    pin(folder.database, chosen.file)
    print(f"The checkpoint at step {chosen.step:,} of {folder.id} is kept.")
    return 0


def parse_target(parser: CommandParser, arguments: list[str]) -> tuple[RunFolder, int | None]:
    """The run and the step that a command names."""
    parser.add_argument("run", metavar="RUN", help="its name, or latest")
    parser.add_argument("step", metavar="STEP", nargs="?", help="the step of the checkpoint")
    options = parser.parse(arguments)
    step = None if options.step is None else parse_number(options.step)
    return RunFolder.open(options.run), None if step is None else int(step)


def checkpoints(folder: RunFolder) -> list[CheckpointRow]:
    """Those whose files are there, one a step, rising."""
    rows = {row.file: row for row in StoreReader(folder.database, at_once=True).checkpoints()}
    there = [row for row in rows.values() if (folder.checkpoints / row.file).is_file()]
    return sorted(there, key=lambda row: row.step)


def at_step(folder: RunFolder, there: list[CheckpointRow], step: int) -> CheckpointRow:
    """The checkpoint of that very step; `PuffError` names those there are."""
    found = next((row for row in there if row.step == step), None)
    if found is None:
        steps = ", ".join(str(row.step) for row in there)
        raise PuffError(
            f"{folder.id} has no checkpoint at step {step}.", f"There are: {steps}.", usage=True
        )
    return found
