"""The curves of one run, or of several as one, over steps, time, episodes or updates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pufftui.series.aggregate import confidence_band, interquartile_mean
from pufftui.series.axis import Axis
from pufftui.series.curve import Series
from pufftui.trainer.messages.snapshot import LOSSES
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.store import MetricBlocks, StoreReader

POINTS = 1500
"""Blocks of a run that are read: more than a wide screen has columns of dots."""

GRID = 120
"""Points of a curve that stands for several runs."""

FIRST_METRICS = ("score", "perf", "episode_return", "episode_length", "sps", *LOSSES)
"""What is compared first; whatever else runs have follows."""

MORE_IS_BETTER = ("score", "perf", "episode_return", "sps")

LEFT_OUT = ("score_low", "score_high")
"""Metrics that belong to another one."""


@dataclass(frozen=True, slots=True, eq=False)
class RunCurves:
    """All curves of one run as they were read."""

    env: str | None
    blocks: MetricBlocks
    newest: Mapping[str, float] = field(default_factory=dict)
    """The last value of every metric, also one that is not finite."""

    @classmethod
    def read(cls, folder: RunFolder, env: str | None) -> RunCurves:
        """Reads a bounded number of rows; raises `PuffError` if the store cannot be read."""
        reader = StoreReader(folder.database, at_once=True)
        try:
            odd = {name: found.value for name, found in reader.not_finite().items()}
            return cls(
                env, reader.metrics_between(points=POINTS), {**reader.newest_values(), **odd}
            )
        finally:
            reader.close()

    def series(self, metric: str, axis: Axis) -> Series:
        """One curve; without points if the run does not have it."""
        blocks = self.blocks
        if metric not in blocks.mean:
            return EMPTY
        # The time of a resumed run may step back to that of its checkpoint.
        return series_of(blocks, metric, np.maximum.accumulate(_places(blocks, axis)))

    def known(self, metric: str, axis: Axis) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Places and means of the points that are known."""
        series = self.series(metric, axis)
        there = series.count > 0
        return np.asarray(series.x[there], np.float64), series.total[there] / series.count[there]


def series_of(blocks: MetricBlocks, metric: str, x: NDArray[np.float64]) -> Series:
    """A metric that the blocks have as a curve over `x`, where each block begins, float64 (n,)."""
    count = blocks.count[metric]
    total = np.where(count > 0, blocks.mean[metric].astype(np.float64) * count, 0)
    return Series(x, blocks.low[metric], blocks.high[metric], total, count)


def _places(blocks: MetricBlocks, axis: Axis) -> NDArray[np.float64]:
    """Where each block begins on an axis."""
    match axis:
        case Axis.STEPS:
            return blocks.first_steps.astype(np.float64)
        case Axis.TIME:
            return blocks.seconds
        case Axis.UPDATES:
            return blocks.epochs.astype(np.float64)
        case Axis.EPISODES:
            episodes = blocks.mean.get("episodes", np.zeros_like(blocks.seconds))
            return np.nan_to_num(episodes.astype(np.float64))


EMPTY = Series.of_points(np.empty(0), np.empty(0))


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """What is drawn and said of one run or several.

    `band` is there for two runs or more, `interval` is the band at the end. `best` is the highest
    value of a metric of which more is better; of others it is None, and `low` and `high` tell.
    """

    series: Series
    band: tuple[Series, Series] | None
    last: float | None
    best: float | None
    low: float | None
    high: float | None
    interval: tuple[float, float] | None

    @property
    def end(self) -> float:
        """The last place on the x axis; 0 without points."""
        return float(self.series.x[-1]) if len(self.series) else 0.0


def curve_of(runs: Sequence[RunCurves], metric: str, axis: Axis) -> Curve:
    """The curve of one run, or the interquartile mean of several where all of them have points."""
    if len(runs) == 1:
        curve = _curve(runs[0].series(metric, axis), None, metric)
        return replace(curve, last=runs[0].newest.get(metric, curve.last))
    known = [run.known(metric, axis) for run in runs]
    if any(not len(x) for x, _ in known):
        return _curve(EMPTY, None, metric)
    start, end = max(x[0] for x, _ in known), min(x[-1] for x, _ in known)
    if end < start:
        return _curve(EMPTY, None, metric)
    grid = np.linspace(start, end, GRID)
    rows = np.array([np.interp(grid, x, y) for x, y in known])
    strata = [
        rows[[run.env == env for run in runs]] for env in dict.fromkeys(run.env for run in runs)
    ]
    limits = confidence_band(strata)
    band = limits and tuple(Series.of_points(grid, limit) for limit in limits)
    return _curve(Series.of_points(grid, interquartile_mean(rows)), band, metric)


def metrics_of(runs: Sequence[RunCurves]) -> list[str]:
    """The metrics that any of the runs has, the most telling first."""
    there = {name for run in runs for name in run.blocks.count.some()}
    first = [name for name in FIRST_METRICS if name in there]
    return first + sorted(there - set(first) - set(LEFT_OUT))


def _curve(series: Series, band: tuple[Series, ...] | None, metric: str) -> Curve:
    there = series.count > 0
    if not there.any():
        return Curve(series, None, None, None, None, None, None)
    low, high = float(series.low[there].min()), float(series.high[there].max())
    last = int(np.flatnonzero(there)[-1])
    limits = (band[0], band[1]) if band else None
    return Curve(
        series=series,
        band=limits,
        last=float(series.total[last] / series.count[last]),
        best=high if metric in MORE_IS_BETTER else None,
        low=low,
        high=high,
        interval=(float(limits[0].low[-1]), float(limits[1].low[-1])) if limits else None,
    )
