"""`pufftui runs compare`: runs beside each other, on the screen, as a table or as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from pufftui.appearance.format import duration, figure, setting, steps
from pufftui.appearance.harmless import harmless, shortened
from pufftui.cli.output import add_screen, check_screen, wishes
from pufftui.cli.parser import CommandParser
from pufftui.control.report import finite
from pufftui.envs.errors import PuffError
from pufftui.runs.comparison import Comparison, Grouping, check_groups, differences
from pufftui.runs.evaluated import evaluated_as_json
from pufftui.runs.groups import MOST_CURVES, Group
from pufftui.runs.selection import evaluated_words, selection_caution
from pufftui.runs.summary import SCORE
from pufftui.series.axis import Axis
from pufftui.trainer.run.folder import RunFolder

MOST_RUNS = 64

LONGEST_CELL = 60
"""Letters of a name or a setting in a table."""


def run(arguments: list[str]) -> int:
    """Compares runs; the exit status is that of the screen, or 0."""
    parser = CommandParser(
        "runs compare", "Draws runs in one chart, with their figures and how their settings differ."
    )
    parser.epilog = (
        "Every run is a curve, as long as those can be told apart. With --seeds, or the key g, runs\n"
        "that differ only in the seed are one: their interquartile mean with a 95 % bootstrap band.\n"
        "In a pipe, and with --json, the figures are printed."
    )
    add = parser.add_argument
    add("runs", metavar="RUN", nargs="+", help=f"their names; at most {MOST_CURVES} curves")
    add("--aggregate", action="store_true", help="draw all runs as one curve")
    add(
        "--seeds",
        action="store_true",
        help="draw runs that differ only in the seed as one curve",
    )
    add("--json", action="store_true", help="print figures and differences as one JSON object")
    add_screen(parser)
    options = parser.parse(arguments)
    if options.aggregate and options.seeds:
        raise PuffError(
            "--aggregate and --seeds cannot be used together.", "Use one of them.", usage=True
        )
    folders = list({folder.id: folder for folder in map(RunFolder.open, options.runs)}.values())
    if len(folders) > MOST_RUNS:
        raise PuffError(f"These are {len(folders)} runs.", f"Take up to {MOST_RUNS}.", usage=True)
    comparison = Comparison.read(folders)
    grouping = comparison.first_grouping()
    if options.aggregate or options.seeds:
        grouping = Grouping.ALL if options.aggregate else Grouping.SEEDS
    groups = comparison.groups(grouping)
    check_groups(groups)
    if options.json:
        print(json.dumps(as_json(comparison, groups), indent=2))
        return 0
    if not sys.stdout.isatty():
        print("\n".join(as_table(comparison, groups)))
        return 0
    check_screen("runs compare", "Or print the figures: --json.", options.theme)
    from pufftui.apps.compare import run_compare

    return run_compare(comparison, folders, grouping, wishes(options))


def as_json(comparison: Comparison, groups: Sequence[Group]) -> dict[str, Any]:
    """Every figure of every curve, and the settings that differ."""
    return {
        "curves": [
            {
                "name": group.name,
                "runs": [run.name for run in group.runs],
                "n": len(group.runs),
                "caution": group.caution or None,
                "states": [run.state for run in group.runs],
                "step": _steps(group),
                "seconds": _seconds(group),
                "evaluated": [evaluated_as_json(run.evaluated) for run in group.runs],
                "metrics": {
                    metric: _figures(comparison, group, metric) for metric in comparison.metrics
                },
            }
            for group in groups
        ],
        "differences": {
            path: {group.name: value for group, value in zip(groups, values, strict=True)}
            for path, values in differences(groups).items()
        },
    }


def _steps(group: Group) -> int:
    """How far all of its runs are."""
    return min(run.step for run in group.runs)


def _seconds(group: Group) -> float:
    """How long the longest of its runs took."""
    return max(run.seconds for run in group.runs)


def _figures(comparison: Comparison, group: Group, metric: str) -> dict[str, Any]:
    curve = comparison.curve(group, metric, Axis.STEPS)
    return {
        "last": finite(curve.last),
        "low": curve.low,
        "high": curve.high,
        "interval": list(curve.interval) if curve.interval else None,
    }


def as_table(comparison: Comparison, groups: Sequence[Group]) -> list[str]:
    """The last value of every metric, a column a curve, and below it the settings that differ."""
    rows = [["", *(group.name for group in groups)]]
    rows.append(["runs", *(str(len(group.runs)) for group in groups)])
    rows.append(["steps", *(steps(_steps(group)) for group in groups)])
    rows.append(["time", *(duration(_seconds(group)) for group in groups)])
    for metric in comparison.metrics:
        curves = [comparison.curve(group, metric, Axis.STEPS) for group in groups]
        rows.append([metric, *(figure(curve.last) for curve in curves)])
        if any(curve.interval for curve in curves):
            intervals = [curve.interval for curve in curves]
            spans = [f"{figure(i[0])} to {figure(i[1])}" if i else "" for i in intervals]
            rows.append([f"{metric} 95 %", *spans])
        if metric == SCORE:
            rows.append(["best score", *(figure(curve.best) for curve in curves)])
            evaluated = [evaluated_words(group.runs) for group in groups]
            if any(evaluated):
                rows.append(["evaluated", *evaluated])
    rows.append([""])
    rows += [
        [path, *(setting(value) for value in values)]
        for path, values in differences(groups).items()
    ]
    rows = [[shortened(cell, LONGEST_CELL) for cell in row] for row in rows]
    widths = [max(len(row[at]) for row in rows if len(row) > at) for at in range(len(groups) + 1)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip()
        for row in rows
    ]
    texts = [group.caution for group in groups if len(group.runs) > 1]
    if SCORE in comparison.metrics:
        texts.append(selection_caution(groups, SCORE))
    cautions = dict.fromkeys(filter(None, texts))
    return [*lines, *(["", *map(harmless, cautions)] if cautions else [])]
