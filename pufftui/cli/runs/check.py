"""`pufftui runs check`: the health checks over a run that is stored, live or finished."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict

from pufftui.appearance.format import duration, steps
from pufftui.cli.parser import CommandParser
from pufftui.control.report import alert, finite
from pufftui.envs.errors import PuffError
from pufftui.trainer.health import RULES, Level, Told, check_run, stored_facts
from pufftui.trainer.run.folder import LATEST, RunFolder
from pufftui.trainer.store import StoreReader

SIGNS = {Level.INFO: "·", Level.WARNING: "▲", Level.CRITICAL: "✕"}
WIDTH = 96


def run(arguments: list[str]) -> int:
    """Prints what was found; 0 also if something is wrong, for the question was answered."""
    parser = CommandParser("runs check", "Says what went wrong in a run, and what to do about it.")
    parser.add_argument(
        "run",
        metavar="RUN",
        nargs="?",
        default=LATEST,
        help="name of the run; without it, the last one",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON array")
    parser.add_argument("--rules", action="store_true", help="print all rules; this needs no run")
    options = parser.parse(arguments)
    if options.rules:
        print(all_rules(as_json=options.json))
        return 0
    folder = RunFolder.open(options.run)
    reader = StoreReader(folder.database, at_once=True)
    try:
        facts = stored_facts(reader)
        if facts is None:
            raise PuffError(
                f"{folder.id} does not hold what the health checks need.",
                "Runs of pufftui train and of pufftui.log can be checked; older ones of the latter cannot.",
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


def all_rules(*, as_json: bool) -> str:
    """Every rule with its numbers and their source."""
    if as_json:
        return json.dumps([asdict(rule) for rule in RULES.values()], indent=2)
    blocks = []
    for rule in RULES.values():
        lines = [rule.meaning, f"Source: {rule.source}.", f"What to do: {rule.advice}"]
        lines.append(f"More: {rule.branch}")
        blocks.append("\n".join([f"{rule.id}: {rule.title}", *map(_wrapped, filter(_said, lines))]))
    return "\n\n".join(blocks)


def as_json(told: Told) -> dict[str, object]:
    """A finding by its public names, with when it was told and when it was over."""
    return {
        **alert(told.finding),
        "told_step": told.step,
        "told_seconds": told.seconds,
        "over_step": told.over_step,
        "meaning": told.finding.rule.meaning,
        "source": told.finding.rule.source,
        "more": told.finding.rule.branch,
    }


def in_words(told: Told) -> str:
    """A finding as a short paragraph."""
    finding = told.finding
    until = "to the end" if told.over_step is None else f"until step {steps(told.over_step)}"
    when = f"from step {steps(finding.since_step)} {until}, reported after {duration(told.seconds)}"
    head = f"{SIGNS[finding.level]} {finding.level.word}: {finding.rule.title} ({when})"
    lines = [finding.text, f"Rule: {finding.rule.meaning}", f"What to do: {finding.rule.advice}"]
    lines.append(f"More: {finding.rule.branch}")
    return "\n".join([head, *map(_wrapped, filter(_said, lines))])


def _said(line: str) -> bool:
    """Whether anything follows what a line is called."""
    return not line.endswith(": ")


def _wrapped(line: str) -> str:
    return textwrap.fill(line, WIDTH, initial_indent="  ", subsequent_indent="  ")
