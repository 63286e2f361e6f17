"""Runs beside each other: their curves, their figures, and the settings in which they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from pufftui.envs.errors import PuffError
from pufftui.runs.groups import (
    MOST_CURVES,
    Group,
    all_together,
    differences,
    each_alone,
    group_by_seed,
)
from pufftui.runs.summary import BROKEN, RunSummary, summarise
from pufftui.series.axis import Axis
from pufftui.series.stored import Curve, RunCurves, curve_of, metrics_of
from pufftui.trainer.run.folder import RunFolder


class Grouping(Enum):
    """Which runs are one curve."""

    SEEDS = "seeds together"
    EACH = "every run alone"
    ALL = "all as one"


GROUPINGS = {
    Grouping.SEEDS: group_by_seed,
    Grouping.EACH: each_alone,
    Grouping.ALL: all_together,
}


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Runs as they were when they were read. Curves are made when they are asked for, and kept."""

    runs: tuple[RunSummary, ...]
    curves: dict[str, RunCurves]
    _made: dict[object, Curve] = field(default_factory=dict)
    _metrics: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, folders: Sequence[RunFolder]) -> Comparison:
        """Reads all runs; raises `PuffError` for one that cannot be read."""
        runs, curves = [], {}
        for folder in folders:
            run = summarise(folder, ())
            if run.state == BROKEN:
                raise PuffError(f"The run {run.name} cannot be read.", run.trouble)
            runs.append(run)
            curves[run.name] = RunCurves.read(folder, run.env)
        return cls(tuple(runs), curves)

    @property
    def metrics(self) -> list[str]:
        """What can be compared, the most telling first."""
        if not self._metrics:
            self._metrics.extend(metrics_of(list(self.curves.values())))
        return self._metrics

    @property
    def envs(self) -> list[str]:
        """The environments of the runs."""
        return list(dict.fromkeys(run.env or "" for run in self.runs))

    @property
    def live(self) -> bool:
        """Whether a run can still change."""
        return any(run.live for run in self.runs)

    def first_metric(self) -> str:
        """The score; scores of several environments have different units, so there perf."""
        metrics = self.metrics
        wanted = "perf" if len(self.envs) > 1 else "score"
        return wanted if wanted in metrics else metrics[0] if metrics else "score"

    def groups(self, grouping: Grouping) -> list[Group]:
        """The runs as curves, in the order in which they were named."""
        return GROUPINGS[grouping](self.runs)

    def first_grouping(self) -> Grouping:
        """Whoever names some runs sees them; seeds are put together where those are too many curves."""
        return Grouping.EACH if len(self.runs) <= MOST_CURVES else Grouping.SEEDS

    def curve(self, group: Group, metric: str, axis: Axis) -> Curve:
        """The curve of a group."""
        key = tuple(run.name for run in group.runs), metric, axis
        if key not in self._made:
            runs = [self.curves[run.name] for run in group.runs]
            self._made[key] = curve_of(runs, metric, axis)
        return self._made[key]

    def colour(self, group: Group) -> str:
        """A run keeps its colour, whatever else is shown; a group has that of its first run."""
        firsts = [other.runs[0].name for other in group_by_seed(self.runs)]
        names = [run.name for run in self.runs]
        # With many runs only groups have colours of their own.
        order = names if len(names) <= MOST_CURVES else firsts
        name = group.runs[0].name
        return f"series{(order.index(name) if name in order else 0) % MOST_CURVES}"


def check_groups(groups: Sequence[Group]) -> None:
    """Raises `PuffError` if there are more curves than colours."""
    if len(groups) > MOST_CURVES:
        raise PuffError(
            f"These are {len(groups)} curves, and no more than {MOST_CURVES} can be told apart.",
            "Name fewer runs, or draw them as one: --aggregate.",
            usage=True,
        )


__all__ = ["Comparison", "Grouping", "check_groups", "differences"]
