"""`pufftui runs list`: every run, or those that a filter matches."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from pufftui.cli.parser import CommandParser
from pufftui.control.report import finite
from pufftui.envs.errors import PuffError, nearest
from pufftui.runs.evaluated import evaluated_as_json
from pufftui.runs.query import Query, check_fields, fields_of, parse_query
from pufftui.runs.summary import FIELDS, RunSummary, summarise_all
from pufftui.runs.table import fitted_table, plain_table
from pufftui.trainer.run.folder import runs_root
from pufftui.trainer.settings.fields import setting_fields

HELP = """\
a filter is made of terms that must all hold; | means either, not the opposite, ( ) group:
  otter                  the name, environment, a tag or a note contains it
  env=breakout           = and != compare; * stands for any letters, as in name=squared-*
  score>300 age<2d       > >= < <= compare numbers (50M, 1e6) and times (90s, 10m, 2h, 3d)
  tag:good note:"more"   : looks inside a text; a tag must be it
  evaluated>800          the score that pufftui eval found
  train.gamma<0.99       any setting, or the last value of any metric (sps, entropy)
score is the mean over the last 1,000 episodes of training, best the highest that it has been, and
evaluated what pufftui eval found, with its 95 % interval.
In most shells quotes are needed around < > | ( ): pufftui runs 'score>300 | tag:good'"""


def run(arguments: list[str]) -> int:
    """Prints the runs, the newest first."""
    parser = CommandParser("runs list", "Lists the runs, the one started or resumed last first.")
    parser.usage = "pufftui runs list [FILTER ...] [--json] [--sort KEY] [--reverse]"
    parser.epilog = HELP
    add = parser.add_argument
    add("filter", metavar="FILTER", nargs="*", help="what to show, for example env=breakout")
    add("--json", action="store_true", help="print everything that is known as one JSON array")
    add(
        "--sort",
        metavar="KEY",
        help="a field: text from A to Z, numbers from high to low; without it, the newest first",
    )
    add("--reverse", action="store_true", help="in reverse order")
    options = parser.parse(arguments)
    query = parse_query(" ".join(options.filter))
    runs = summarise_all(None if options.json else _metrics(query, options.sort))
    known = _known(runs)
    if not known.issuperset(_fields(query, options.sort)):
        # What is meant instead may be any metric.
        known |= _known(summarise_all())
    check_fields(query, known)
    found = [run for run in runs if query.matches(run.fields())]
    found = _sorted(found, options.sort, known)
    if options.reverse:
        found.reverse()
    if options.json:
        print(json.dumps([as_json(run) for run in found], indent=2))
        return 0
    if not found:
        sys.stderr.write(_nothing(len(runs)))
    elif sys.stdout.isatty():
        print("\n".join(fitted_table(found, shutil.get_terminal_size((80, 24)).columns)))
    else:
        print("\n".join(plain_table(found)))
    return 0


def _fields(query: Query, sort: str | None) -> set[str]:
    """The fields that the runs are searched and sorted by."""
    return {*fields_of(query), *([sort.lower()] if sort else [])}


def _metrics(query: Query, sort: str | None) -> set[str]:
    """Those of them that can only be metrics."""
    return _fields(query, sort) - {*FIELDS, *setting_fields()}


def _known(runs: Sequence[RunSummary]) -> set[str]:
    """The fields that any of the runs may have."""
    return {*FIELDS, *setting_fields(), *(name for run in runs for name in run.fields())}


def _sorted(
    runs: Sequence[RunSummary], key: str | None, known: Collection[str]
) -> list[RunSummary]:
    """In the order of a field; runs that lack it come last."""
    if key is None:
        return list(runs)
    key = key.lower()
    if key not in known:
        hint = nearest(key, known, "See pufftui runs list --help.")
        raise PuffError(f"There is no field {key}.", hint, usage=True)
    values = [(run.fields().get(key), run) for run in runs]
    numbers = [(value, run) for value, run in values if isinstance(value, float)]
    texts = [(value, run) for value, run in values if isinstance(value, (str, tuple)) and value]
    ordered = [run for _, run in sorted(numbers, key=lambda pair: -pair[0])]
    ordered += [run for _, run in sorted(texts, key=lambda pair: str(pair[0]))]
    return ordered + [run for run in runs if run not in ordered]


def _nothing(count: int) -> str:
    if count:
        return f"No run in {runs_root()} matches; there are {count}.\n"
    return f"There is no run in {runs_root()} yet. Start one: pufftui train breakout.\n"


def as_json(run: RunSummary) -> dict[str, Any]:
    """Everything that is known of a run; what is not is null."""
    began = None if run.began is None else datetime.fromtimestamp(run.began, UTC).isoformat()
    return {
        "run": run.name,
        "env": run.env,
        "state": run.state,
        "trouble": run.trouble or None,
        "step": run.step,
        "total_steps": run.total_steps,
        "score": finite(run.score),
        "best": finite(run.best),
        "evaluated": evaluated_as_json(run.evaluated),
        "seconds": run.seconds,
        "began": began,
        "tags": list(run.tags),
        "notes": list(run.notes),
        "last": finite(dict(run.last)),
        "not_finite": {name: odd.words for name, odd in run.not_finite.items()},
        "settings": run.settings,
        "curve": finite([float(value) for value in run.curve]),
    }
