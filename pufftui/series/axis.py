"""What lies along the x axis of all charts, and how it is labelled."""

from __future__ import annotations

import math
from enum import Enum

from pufftui.appearance.format import duration, steps, tick
from pufftui.series import ticks

TIME_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200)
"""Seconds between ticks that a clock finds round."""

DAY = 86400.0


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
        least = span / max(2, columns // 14)
        whole_days = DAY * math.ceil(least / DAY)
        return next((float(step) for step in TIME_STEPS if step >= least), whole_days)

    def label(self, value: float) -> str:
        """A round place on the axis: 1.5M, or 5m."""
        if not value:
            return "0"
        return _clock(value) if self is Axis.TIME else tick(value)

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
    """Labels in the middle below their places; the unit stands at the end."""
    cells = [" "] * columns
    unit = axis.value
    if columns <= len(unit) + 2:
        return "".join(cells)
    step = axis.step(end - start, columns)
    number = math.ceil(start / step - 1e-9)
    while number * step <= end + 1e-9 * step:
        label = axis.label(number * step)
        at = round((number * step - start) / (end - start) * (columns - 1))
        at = max(0, at - len(label) // 2 if number else at)
        if (
            at + len(label) <= columns - len(unit) - 1
            and not "".join(cells[max(0, at - 1) : at + len(label) + 1]).strip()
        ):
            cells[at : at + len(label)] = label
        number += 1
    cells[columns - len(unit) :] = unit
    return "".join(cells)


def _clock(seconds: float) -> str:
    """`5m` rather than `5m 00s`."""
    large, _, small = duration(seconds).partition(" ")
    return large if not small.strip("0smh") else f"{large} {small}"
