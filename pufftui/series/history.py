"""The curves of a run in memory: what was there when it was opened, and what came since."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pufftui.series.axis import Axis
from pufftui.series.curve import LONG, Growing, Metric, Series
from pufftui.series.recent import Recent
from pufftui.series.stored import RunCurves, series_of
from pufftui.trainer.store import MetricBlocks, MetricRows, NotFinite, StoreReader
from pufftui.trainer.store.columns import Names

EPISODES = "episodes"
"""The metric that counts finished episodes."""

MOST_ROWS = 2 * LONG
"""Rows that are kept one by one, nine hours of them; with more, the past is read in blocks again."""

MOST_VALUES = 2**25
"""Values of such rows, of all metrics together; so many are 128 MB."""

MOST_ABANDONED = 3
"""Stretches that a run has gone back over and that are still shown, the newest ones."""


class History:
    """All curves of a run, over its steps, its time, its episodes or its updates.

    The past of a long run is read in blocks, so that it opens at once however long it is and takes
    no more memory from day to day; rows that are written from then on are kept one by one. Nothing
    is made of a metric before its curve is asked for: a run may have hundreds of thousands.
    """

    def __init__(self) -> None:
        self._open()

    def _open(self) -> None:
        self._last = self._lineage = 0
        self._names = Names()
        self._past: MetricBlocks | None = None
        self._past_series: dict[str, Series] = {}
        self._past_places = {axis: np.empty(0, np.float64) for axis in Axis}
        self._past_end = -np.inf
        self._places = {axis: Growing(np.float64) for axis in Axis}
        self._recent = Recent()
        self._metrics: dict[str, Metric] = {}
        self._abandoned: list[RunCurves] = []
        self._newest: dict[str, float] = {}
        self.not_finite: dict[str, NotFinite] = {}
        """The metrics whose last value is no finite number."""

    @property
    def steps(self) -> NDArray[np.float64]:
        """The first step of every block of the past, then the step of every row; never falling."""
        return self.places(Axis.STEPS)

    def places(self, axis: Axis) -> NDArray[np.float64]:
        """Where every block of the past and every row since lies on an axis; never falling."""
        return np.concatenate([self._past_places[axis], self._places[axis].values])

    @property
    def names(self) -> Sequence[str]:
        """The metrics that there are, in the order in which they came; grows as more come."""
        return self._names.known

    @property
    def end(self) -> float:
        """The last step; 0 before the first row."""
        return self.last(Axis.STEPS)

    def last(self, axis: Axis) -> float:
        """The last place on an axis; 0 before the first row."""
        recent, past = self._places[axis].values, self._past_places[axis]
        if len(recent):
            return float(recent[-1])
        if axis is Axis.STEPS:
            return max(float(self._past_end), 0.0)
        return float(past[-1]) if len(past) else 0.0

    def series(self, name: str, axis: Axis = Axis.STEPS) -> Series:
        """The curve of a metric; unknown in rows that lack it."""
        x, past_x = self._places[axis].values, self._past_places[axis]
        past = self._past_of(name)
        past = _unknown(past_x) if past is None else past.over(past_x)
        if name not in self._recent.names.column:
            return past.followed_by(_unknown(x))
        metric = self._metrics.get(name)
        if metric is None:
            metric = self._metrics[name] = Metric()
        metric.append(self._recent.values(name)[len(metric) :])
        return past.followed_by(metric.series(x))

    def _past_of(self, name: str) -> Series | None:
        if name not in self._past_series and self._past is not None and name in self._past.mean:
            x = self._past_places[Axis.STEPS]
            self._past_series[name] = series_of(self._past, name, x)
        return self._past_series.get(name)

    def current(self, name: str) -> float | None:
        """The last value of a metric, which may be no finite number; None before the first."""
        odd = self.not_finite.get(name)
        if odd is not None:
            return odd.value
        recent = self._recent.last(name)
        return self._newest.get(name) if recent is None else recent

    def abandoned(self, name: str, axis: Axis) -> list[Series]:
        """The curve of a metric where the run has gone back over it, the newest first."""
        found = [curves.series(name, axis) for curves in self._abandoned]
        return [series for series in found if not series.empty]

    def place_of(self, step: float, axis: Axis) -> float:
        """Where a step lies on another axis."""
        if axis is Axis.STEPS or not len(self.steps):
            return step
        return float(np.interp(step, self.steps, self.places(axis)))

    def step_at(self, place: float, axis: Axis) -> float:
        """The step at a place on an axis."""
        if axis is Axis.STEPS or not len(self.steps):
            return place
        return float(np.interp(place, self.places(axis), self.steps))

    @property
    def newest(self) -> int:
        """The id of the last row that was taken in."""
        return self._last

    @property
    def coarse(self) -> bool:
        """Whether the past was read in blocks of more than one row."""
        return self._past is not None and self._past.coarse

    def poll(self, reader: StoreReader) -> bool:
        """Takes in what was written since the last call; True if there was anything."""
        if not self._last:
            return self._read_past(reader)
        rows = reader.metrics_after(self._last)
        if not len(rows.steps):
            return False
        self.not_finite = reader.not_finite()
        values = self._recent.size + rows.values.table.size
        many = len(self._recent) + len(rows.steps) > MOST_ROWS or values > MOST_VALUES
        if many or (rows.lineages != self._lineage).any():
            # If it was resumed, perhaps at an earlier step, the store knows what is left.
            self._open()
            return self._read_past(reader)
        self._take(rows)
        return True

    @classmethod
    def between(cls, reader: StoreReader, first: float, last: float, points: int) -> History:
        """A stretch of steps as finely as so many points allow."""
        history = cls()
        history._take_past(reader.metrics_between(int(first), int(last) + 1, points))
        return history

    def _read_past(self, reader: StoreReader) -> bool:
        self._newest, self.not_finite = reader.newest_values(), reader.not_finite()
        self._abandoned = [RunCurves(None, blocks) for blocks in reader.abandoned(MOST_ABANDONED)]
        return self._take_past(reader.metrics_between(points=LONG))

    def _take_past(self, blocks: MetricBlocks) -> bool:
        if not len(blocks.first_steps):
            return False
        self._last, self._lineage = blocks.last, int(blocks.lineages[-1])
        episodes = blocks.mean.get(EPISODES, np.zeros(0, np.float32))
        for axis, places in zip(
            Axis,
            (
                blocks.first_steps,
                blocks.seconds,
                _filled(episodes, len(blocks.seconds), 0.0),
                blocks.epochs,
            ),
            strict=True,
        ):
            self._past_places[axis] = np.maximum.accumulate(places.astype(np.float64))
        self._past_end = float(blocks.last_steps[-1])
        self._past = blocks
        self._names.add(name for name in blocks.mean if name not in self._names.column)
        return True

    def _take(self, rows: MetricRows) -> None:
        self._last = rows.last
        seen = len(self._recent.names)
        self._recent.append(rows.values)
        new = self._recent.names.known[seen:]
        self._names.add(name for name in new if name not in self._names.column)
        episodes = rows.values.get(EPISODES, np.zeros(0, np.float32))
        before = self.last(Axis.EPISODES)
        for axis, places in zip(
            Axis,
            (rows.steps, rows.seconds, _filled(episodes, len(rows.steps), before), rows.epochs),
            strict=True,
        ):
            # The time of a resumed run may step back to that of its checkpoint.
            rising = np.maximum.accumulate(np.append(self.last(axis), places.astype(np.float64)))
            self._places[axis].append(rising[1:])


def _filled(values: NDArray[np.float32], count: int, before: float) -> NDArray[np.float64]:
    """Values without gaps: what is not known is what was known last."""
    if not len(values):
        return np.full(count, before)
    known = np.where(np.isnan(values), -np.inf, values.astype(np.float64))
    filled: NDArray[np.float64] = np.maximum.accumulate(np.append(before, known))[1:]
    return filled


def _unknown(x: NDArray[np.float64]) -> Series:
    return Series.of_points(x, np.full(len(x), np.nan))
