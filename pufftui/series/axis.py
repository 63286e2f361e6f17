"""What lies along the x axis of all charts, and how it is labelled."""

from __future__ import annotations

import math
from enum import Enum

from pufftui.appearance.format import duration, steps
from pufftui.series import ticks
from pufftui.series.labels import clock_label, labels

TIME_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200)
"""Seconds between ticks that a clock finds round."""

DAY = 86400.0

APART = 2
"""Columns between two labels: those of a time have spaces of their own."""


class Axis(Enum):
    """The units of the x axis."""

    STEPS = "steps"
    TIME = "time"
    EPISODES = "episodes"
    UPDATES = "updates"

    @property
    def next(self) -> Axis:
        """The axis after this one, round and round."""
        every = list(Axis)
        return every[(every.index(self) + 1) % len(every)]

    def step(self, span: float, columns: int) -> float:
        """A round distance between two labels on so many columns."""
        if self is not Axis.TIME:
            return ticks.nice_step(span, max(3, columns // 12))
        return _time_step(span / max(2, columns // 14))

    def wider(self, step: float) -> float:
        """The next larger round distance."""
        return (_time_step if self is Axis.TIME else _whole_step)(step * 1.01)

    def labels(self, numbers: range, step: float) -> list[str]:
        """Those of so many multiples of a round distance: 500k, 1M, 1.5M, or 5m, 10m."""
        values = [number * step for number in numbers]
        if self is Axis.TIME:
            return [clock_label(value, step) if value else "0" for value in values]
        return labels(values, step)

    def place(self, value: float) -> str:
        """Any place on the axis, as the cursor reads it out."""
        return duration(value) if self is Axis.TIME else steps(value)

    def end(self, last: float) -> float:
        """The end of an axis that holds `last`; a round number, so that it rarely moves."""
        if self is not Axis.TIME:
            return ticks.nice_end(last)
        step = self.step(max(last, 1.0), 40)
        return math.ceil(max(last, 1.0) / step * 4 - 1e-9) * step / 4


def ruler(axis: Axis, start: float, end: float, columns: int) -> str:
    """Labels in the middle below their places, evenly spaced; the unit stands at the end."""
    unit = axis.value
    room = columns - len(unit) - 1
    if room < 2:
        return " " * columns
    step = axis.step(end - start, columns)
    while (placed := _placed(axis, start, end, step, columns, room)) is None:
        step = axis.wider(step)
    text = ""
    for at, label in placed:
        text = text.ljust(at) + label
    return text.ljust(columns - len(unit)) + unit


def _placed(
    axis: Axis, start: float, end: float, step: float, columns: int, room: int
) -> list[tuple[int, str]] | None:
    """The labels with their columns, None if two of them would touch; none goes beyond `room`."""
    placed: list[tuple[int, str]] = []
    numbers = ticks.multiples(start / step, end / step)
    taken = 0
    for number, label in zip(numbers, axis.labels(numbers, step), strict=True):
        at = round((number * step - start) / (end - start) * (columns - 1))
        at = max(0, at - len(label) // 2 if number else at)
        if at + len(label) > room:
            break
        if at < taken:
            return None
        placed.append((at, label))
        taken = at + len(label) + APART
    return placed


def _whole_step(least: float) -> float:
    return ticks.nice_step(least, 1)


def _time_step(least: float) -> float:
    """A distance that a clock finds round: parts of a second are decimal, days are whole."""
    if least < 1:
        return ticks.nice_step(least, 1)
    whole_days = DAY * math.ceil(least / DAY)
    return next((float(step) for step in TIME_STEPS if step >= least), whole_days)
