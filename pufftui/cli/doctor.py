"""`pufftui doctor`: checks this machine."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from pufftui.cli.parser import CommandParser
from pufftui.doctor.doctor import Finding, Status, examine

SIGNS = {
    Status.OK: ("32", "ok"),
    Status.WARNING: ("33", "warning"),
    Status.PROBLEM: ("31", "problem"),
}
"""Colour of the terminal and word."""


def run(arguments: list[str]) -> int:
    """Prints what was found; returns 1 if something is broken."""
    parser = CommandParser("doctor", "Checks this machine and says how to fix what is missing.")
    parser.add_argument("--json", action="store_true", help="print one JSON array")
    options = parser.parse(arguments)
    findings = examine()
    if options.json:
        array = [asdict(found) | {"status": found.status.value} for found in findings]
        print(json.dumps(array, indent=2))
    else:
        for found in findings:
            print(_row(found))
    return 1 if any(found.status is Status.PROBLEM for found in findings) else 0


def _row(found: Finding) -> str:
    colour, word = SIGNS[found.status]
    sign = f"{word:7}"
    if sys.stdout.isatty():
        sign = f"\x1b[{colour}m{sign}\x1b[0m"
    row = f"{sign}  {found.name:12}  {found.text}"
    return f"{row}\n{'':23}fix: {found.fix}" if found.fix else row
