"""`pufftui runs check`: the health checks over a run that is stored, live or finished."""

from __future__ import annotations

import json
import textwrap

from pufftui.cli.parser import CommandParser
from pufftui.envs.errors import PuffError
from pufftui.format import duration, steps
from pufftui.headless import alert, finite
from pufftui.trainer.health import Level, Told, check_run, stored_facts
from pufftui.trainer.run_folder import LATEST, RunFolder
from pufftui.trainer.store import StoreReader

SIGNS = {Level.INFO: "·", Level.WARNING: "▲", Level.CRITICAL: "✕"}
WIDTH = 96


def run(arguments: list[str]) -> int:
    """Prints what was found; 0 also if something is wrong, for the question was answered."""
    parser = CommandParser("runs check", "Says what went wrong in a run, and what to do about it.")
    parser.add_argument(
        "run", metavar="RUN", nargs="?", default=LATEST, help="its name; else the last one"
    )
    parser.add_argument("--json", action="store_true", help="one JSON array")
    options = parser.parse(arguments)
    folder = RunFolder.open(options.run)
    reader = StoreReader(folder.database)
    try:
        facts = stored_facts(reader)
        if facts is None:
            raise PuffError(
                f"{folder.id} was not written by a trainer that knows the health checks.",
                "Runs that pufftui trains from now on can be checked.",
                usage=True,
            )
        told = check_run(reader, facts)
    finally:
        reader.close()
    if options.json:
        print(json.dumps([finite(as_json(one)) for one in told], indent=2))
    elif told:
        print("\n\n".join(in_words(one) for one in told))
    else:
        print(f"Nothing was found in {folder.id}.")
    return 0


def as_json(told: Told) -> dict[str, object]:
    """A finding by its public names, with when it was told and when it was over."""
    return {
        **alert(told.finding),
        "told_step": told.step,
        "told_seconds": told.seconds,
        "over_step": told.over_step,
        "meaning": told.finding.rule.meaning,
        "source": told.finding.rule.source,
    }


def in_words(told: Told) -> str:
    """A finding as a short paragraph."""
    finding = told.finding
    until = "to the end" if told.over_step is None else f"until step {steps(told.over_step)}"
    when = f"from step {steps(finding.since_step)} {until}, told after {duration(told.seconds)}"
    head = f"{SIGNS[finding.level]} {finding.level.word}: {finding.rule.title} ({when})"
    lines = [finding.text, f"Rule: {finding.rule.meaning}", f"What to do: {finding.rule.advice}"]
    wrapped = [
        textwrap.fill(line, WIDTH, initial_indent="  ", subsequent_indent="  ")
        for line in lines
        if not line.endswith(": ")
    ]
    return "\n".join([head, *wrapped])
