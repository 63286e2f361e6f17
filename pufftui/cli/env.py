"""`pufftui env new` and `pufftui env check`: for those who write environments."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pufftui.cli.parser import CommandParser
from pufftui.envs.errors import PuffError, nearest

if TYPE_CHECKING:
    from pufftui.envs.checking.check import Report

VERBS = ("new", "check")
USAGE = """\
usage: pufftui env new NAME [--in FOLDER]
       pufftui env check NAME|FOLDER [--steps N] [--json]

Starts an environment of your own, or looks for mistakes in one. Checking runs the code; from then on
other commands run it, too, when a run names its folder, until the code changes. Check only what you
trust."""

COLUMN = 8
WIDTH = 100
COLOURS = {"wrong": "31", "fix": "33", "good": "32"}
"""Of the terminal, by the word at the beginning of a line."""


def run(arguments: list[str]) -> int:
    """Does what the first argument says."""
    verb, *rest = arguments or [""]
    if verb in ("-h", "--help"):
        print(USAGE)
        return 0
    if verb not in VERBS:
        what = f"There is no pufftui env {verb}." if verb else "env needs a subcommand."
        otherwise = "Use pufftui env new NAME or pufftui env check FOLDER."
        raise PuffError(what, nearest(verb, VERBS, otherwise), usage=True)
    return _new(rest) if verb == "new" else _check(rest)


def _new(arguments: list[str]) -> int:
    from pufftui.envs.scaffold import new_env

    parser = CommandParser("env new", "Writes a small environment that can be trained right away.")
    add = parser.add_argument
    add("name", metavar="NAME", help="letters, digits and underscores")
    add(
        "--in",
        metavar="FOLDER",
        dest="parent",
        type=Path,
        default=Path(),
        help="the folder to put it in",
    )
    options = parser.parse(arguments)
    folder = new_env(options.name, options.parent)
    shown = folder if folder.is_absolute() else f"./{folder}"
    print(f"{shown} holds {', '.join(sorted(path.name for path in folder.iterdir()))}.")
    print(f"Play it:    pufftui play {shown}")
    print(f"Train it:   pufftui train {shown}")
    print(f"Check it:   pufftui env check {shown}")
    return 0


def _check(arguments: list[str]) -> int:
    from pufftui.cli.named import remember
    from pufftui.cli.speed import measure_speed
    from pufftui.envs.catalogue import find_env
    from pufftui.envs.checking.check import STEPS, check_env, speed_notes

    parser = CommandParser("env check", "Looks for mistakes in an environment, by running it.")
    parser.epilog = (
        "resume, watch and other commands run the code of a folder only if it is as you last built it,\n"
        "with train, play or this command. Check again after a change, and check only what you trust."
    )
    add = parser.add_argument
    add("env", metavar="NAME|FOLDER", help="the environment to check")
    add(
        "--steps",
        metavar="N",
        type=_steps,
        default=STEPS,
        help="how many random agent steps to play (1M without it)",
    )
    add("--json", action="store_true", help="print one JSON object")
    options = parser.parse(arguments)
    folder = find_env(options.env)
    report = check_env(folder, steps=options.steps, say=_say)
    if not any(finding.id == "compile" for finding in report.findings):
        remember(options.env)
    speed: dict[str, float] = {}
    if report.playable:
        _check_settings(folder.id, report)
        _say("measuring the speed")
        speed, found = measure_speed(folder, report.pace)
        report.findings += found
        report.notes += speed_notes(folder.name, speed)
    if options.json:
        print(json.dumps(_as_json(report, speed), indent=2))
    else:
        print("\n".join(_lines(report, speed)))
    return 1 if report.wrong else 0


def _steps(text: str) -> int:
    from pufftui.trainer.settings.sources import parse_number

    steps = int(parse_number(text))
    if not 1 <= steps <= 10**12:
        raise ValueError
    return steps


def _check_settings(env: str, report: Report) -> None:
    """Reads the environment's defaults as `pufftui train` will."""
    from pufftui.cli.settings import load_settings
    from pufftui.envs.checking.findings import Finding

    if any(finding.id == "settings" for finding in report.findings):
        return
    try:
        load_settings(env, [], {})
    except PuffError as error:
        report.findings.append(Finding("settings", error.message, error.hint))


def _as_json(report: Report, speed: dict[str, float]) -> dict[str, Any]:
    own = speed.pop(report.env, None)
    return {
        "env": report.env,
        "path": str(report.path),
        "ok": not report.wrong,
        "steps": report.steps,
        "sanitizers": report.sanitizers,
        "findings": [asdict(finding) for finding in report.findings],
        "notes": report.notes,
        "ns_per_step": own,
        "bundled_ns_per_step": speed,
    }


def _lines(report: Report, speed: dict[str, float]) -> Iterator[str]:
    for finding in report.findings:
        yield _line("good" if finding.accepted else "wrong", finding.text)
        if finding.detail:
            yield textwrap.indent(finding.detail, " " * COLUMN)
        if finding.accepted:
            yield _line("", f"Accepted: {finding.accepted}")
        elif finding.fix:
            yield _line("fix", finding.fix)
    for note in report.notes:
        yield _line("note", note)
    if report.env in speed:
        own = speed.pop(report.env)
        others = ", ".join(f"{name} {ns:.0f}" for name, ns in speed.items())
        text = f"{own:.0f} ns per agent step on one thread; for comparison: {others}."
        yield _line("speed", text)
    played = f"{report.steps:,} random steps" if report.steps else "no steps"
    count = len(report.wrong)
    if count:
        many = "1 thing is" if count == 1 else f"{count} things are"
        yield _line("wrong", f"{report.env}: {many} wrong, after {played}.")
    else:
        yield _line("good", f"{report.env}: nothing is wrong, after {played}.")


def _line(word: str, text: str) -> str:
    rows = textwrap.wrap(text, WIDTH - COLUMN, break_on_hyphens=False, break_long_words=False)
    start = word.ljust(COLUMN)
    if word in COLOURS and sys.stdout.isatty():
        start = f"\x1b[{COLOURS[word]}m{start}\x1b[0m"
    return start + f"\n{'':{COLUMN}}".join(rows)


def _say(text: str) -> None:
    print(f"{text} ...", file=sys.stderr, flush=True)
