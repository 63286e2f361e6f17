"""Everything that the charts of one screen share: the curves, how they are looked at, what is marked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

from pufftui.charts.baseline import BaselineBehind
from pufftui.charts.chart import Curve, value_at
from pufftui.charts.earlier import EarlierRuns
from pufftui.charts.explain import explain
from pufftui.charts.marks import Mark, marks_of
from pufftui.charts.metric_colours import colour_of
from pufftui.charts.view import View
from pufftui.series.axis import Axis
from pufftui.series.curve import Series
from pufftui.series.history import History
from pufftui.trainer.store import AlertRow, Event, StoreReader

FINE_POINTS = 2000
"""Points of a stretch that is looked at closely in a long run."""

ENOUGH_POINTS = 300
"""A stretch with so many points needs no closer look."""


class Charting:
    """What the charts are drawn from. The screen polls it and tells it what the person wants."""

    def __init__(
        self, earlier: EarlierRuns | None = None, baseline: BaselineBehind | None = None
    ) -> None:
        self.history = History()
        self.view = View()
        self.log: set[str] = set()
        self.selected = "score"
        """The metric that keys are about."""
        self.provisional_steps = 0
        self.meanings: Mapping[str, str] = {}
        """What the environment says of its own statistics, by their names."""
        self._fine: History | None = None
        self._fine_for: tuple[object, ...] = ()
        self._earlier, self._baseline = earlier, baseline
        self._marks: list[Mark] = []
        self._marks_from: tuple[int, int, int] = (0, 0, 0)
        self._hovering = False

    # What is new.

    def poll(self, reader: StoreReader) -> bool:
        """Takes in what was written since the last call; whether the charts have changed."""
        changed = self.history.poll(reader)
        if changed:
            self.view = self.view.with_last(self.history.last(self.view.axis))
        return self._look_closely(reader) or changed

    def mark(self, events: Iterable[Event], alerts: Iterable[AlertRow]) -> bool:
        """Takes over what happened; whether there is anything new."""
        events, alerts = list(events), list(alerts)
        seen = (len(events), events[-1].id if events else 0, len(alerts))
        if seen == self._marks_from:
            return False
        self._marks_from, self._marks = seen, marks_of(events, alerts)
        return True

    def _look_closely(self, reader: StoreReader) -> bool:
        """Reads the stretch in sight as finely as it was written, where the past is in blocks."""
        view, history = self.view, self.history
        if view.window is None or not history.coarse:
            changed, self._fine, self._fine_for = self._fine is not None, None, ()
            return changed
        first, last = (history.step_at(place, view.axis) for place in view.window)
        wanted = (view.axis, view.window, last >= history.end and history.newest)
        if wanted == self._fine_for:
            return False
        inside = (history.steps >= first) & (history.steps <= last)
        fine = int(inside.sum()) < ENOUGH_POINTS
        self._fine = History.between(reader, first, last, FINE_POINTS) if fine else None
        self._fine_for = wanted
        return True

    # What is drawn.

    def series(self, metric: str) -> Series:
        """A metric along the axis in use."""
        source = self._fine if self._fine is not None else self.history
        return source.series(metric, self.view.axis)

    def curve(self, metric: str, base: float | None = None) -> Curve:
        """All that belongs to a chart of a metric."""
        band = (self.series("score_low"), self.series("score_high")) if metric == "score" else None
        others = (self._baseline, self._earlier if self.view.earlier else None)
        earlier = [
            series
            for other in others
            if other is not None
            for series in other.series(metric, self.view.axis)
        ]
        return Curve(
            self.series(metric),
            colour_of(metric),
            band=band,
            base=None if metric in self.log else base,
            earlier=earlier,
            left=self.history.abandoned(metric, self.view.axis),
            provisional=self._provisional() if explain(metric).episodes else math.inf,
            log=metric in self.log,
        )

    def _provisional(self) -> float:
        first = max(0.0, self.history.end - self.provisional_steps)
        return self.history.place_of(first, self.view.axis) if self.provisional_steps else math.inf

    def marks(self) -> list[tuple[float, Mark]]:
        """What happened, with its places on the axis."""
        axis, history = self.view.axis, self.history
        return [(history.place_of(mark.step, axis), mark) for mark in self._marks]

    def read_out(self, metric: str) -> float | None:
        """The value at the cursor, None without one."""
        if self.view.cursor is None:
            return None
        return value_at(self.series(metric), self.view.cursor)

    @property
    def place(self) -> str:
        """Where the cursor is, in words; empty without one."""
        cursor = self.view.cursor
        return "" if cursor is None else self.view.axis.place(cursor)

    # What the person does.

    def over(self, axis: Axis) -> None:
        """Changes to this x axis, for all charts at once."""
        self.view = self.view.on(axis).with_last(self.history.last(axis))

    def next_axis(self) -> Axis:
        """Changes to another x axis, for all charts at once."""
        axis = self.view.axis.next
        self.over(axis)
        return axis

    def smooth(self, by: int) -> None:
        """More smoothing, or less."""
        self.view = self.view.smoother(by)

    def zoom(self, *, closer: bool, at: float | None = None) -> None:
        """Nearer or farther, around a place or the cursor."""
        self.view = self.view.zoomed(closer, at)

    def pan(self, by: float) -> None:
        """Moves what is in sight by a share of it."""
        self.view = self.view.panned(by)

    def move_cursor(self, by: int) -> None:
        """The cursor a little on, in all charts."""
        self._hovering = False
        self.view = self.view.moved(by, self.history.last(self.view.axis))

    def hover(self, place: float | None) -> None:
        """The pointer is over a place of a chart; None if it has left."""
        if place is not None:
            self._hovering = True
            last = self.history.last(self.view.axis)
            self.view = replace(self.view, cursor=min(place, last))
        elif self._hovering:
            self._hovering = False
            self.view = replace(self.view, cursor=None)

    def whole(self) -> None:
        """Back to the whole run, without a cursor."""
        self.view = self.view.whole()

    def toggle_log(self, metric: str) -> bool:
        """A logarithmic y axis for a metric, or a linear one; False if no value is positive."""
        series = self.series(metric)
        if metric not in self.log and not (series.high[series.count > 0] > 0).any():
            return False
        self.log ^= {metric}
        return True

    def toggle_earlier(self) -> bool:
        """Earlier runs behind the curves, or not; whether they are now."""
        if self._earlier is None:
            return False
        self._earlier.load()
        self.view = replace(self.view, earlier=not self.view.earlier)
        return self.view.earlier

    @property
    def baseline_label(self) -> str:
        """What the curve behind the score is; empty if there is none, or none along this axis."""
        known = self._baseline is not None and self._baseline.series("score", self.view.axis)
        return self._baseline.label if known and self._baseline is not None else ""

    @property
    def earlier_count(self) -> int:
        """How many earlier runs have been read."""
        return len(self._earlier.runs) if self._earlier is not None else 0
