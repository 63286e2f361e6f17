"""Which runs are drawn as one curve: those that differ in nothing but their seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pufftui.runs.summary import RunSummary
from pufftui.series.aggregate import FEW

MOST_CURVES = 8
"""As many as there are colours that can be told apart."""

SEED = "run.seed"
LOGGED_SEED = "config.seed"
"""Where a run of another program keeps it, if it told."""

NO_INFLUENCE = (*("run.name", "run.checkpoint_minutes", "run.keep_checkpoints", "vec.threads"),)
"""Settings that do not change what is learnt."""

ABSENT = None
"""Stands for a setting that a run does not have."""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Runs that are shown as one curve."""

    name: str
    runs: tuple[RunSummary, ...]

    @property
    def caution(self) -> str:
        """What a reader of the curve must know about its number of runs; empty for one run."""
        count = len(self.runs)
        if count == 1:
            return ""
        seeds = [run.settings.get(SEED) for run in self.runs]
        told = [(run.env, seed) for run, seed in zip(self.runs, seeds, strict=True)]
        if None not in seeds and len(set(told)) < count:
            return f"n={count}, but a seed occurs twice: these runs say nothing about luck"
        if count < FEW:
            return f"n={count}: wide; {FEW} or more seeds make a band worth reading"
        return f"n={count}"


def group_by_seed(runs: Sequence[RunSummary]) -> list[Group]:
    """Runs with the same settings but for the seed together, in the order of their first."""
    alike: dict[object, list[RunSummary]] = {}
    for run in runs:
        # What has no settings cannot be told to be the same as anything.
        settings = _influences(run.settings)
        key = frozenset((path, repr(value)) for path, value in settings.items()) or run.name
        alike.setdefault(key, []).append(run)
    return [_named(tuple(group)) for group in alike.values()]


def each_alone(runs: Sequence[RunSummary]) -> list[Group]:
    """Every run by itself."""
    return [Group(run.name, (run,)) for run in runs]


def all_together(runs: Sequence[RunSummary]) -> list[Group]:
    """All runs as one."""
    return [Group(f"all {len(runs)} runs", tuple(runs))]


def _influences(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        path: value
        for path, value in settings.items()
        if path not in (SEED, LOGGED_SEED)
        and path not in NO_INFLUENCE
        and not path.startswith("log.")
    }


def _named(runs: tuple[RunSummary, ...]) -> Group:
    name = runs[0].name if len(runs) == 1 else f"{runs[0].name} +{len(runs) - 1}"
    return Group(name, runs)


def differences(groups: Sequence[Group]) -> dict[str, list[Any]]:
    """Settings that differ, by path in their order, with the value of every group.

    A value is None where a group's runs lack the setting, and a list where its runs differ. The
    seed counts only if every group is one run.
    """
    paths = dict.fromkeys(path for group in groups for run in group.runs for path in run.settings)
    found: dict[str, list[Any]] = {}
    for path in paths:
        if path in NO_INFLUENCE:
            continue
        if path == SEED and any(len(group.runs) > 1 for group in groups):
            continue
        values = [_together([run.settings.get(path) for run in group.runs]) for group in groups]
        if any(value != values[0] for value in values) or isinstance(values[0], list):
            found[path] = values
    return found


def _together(values: list[Any]) -> Any:
    """The one value that all have, or a list of the different ones."""
    different = list({repr(value): value for value in values}.values())
    return different[0] if len(different) == 1 else different
