"""How all charts of a screen are looked at, at once: axis, stretch, cursor, smoothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pufftui.series.axis import Axis

SMOOTHINGS = (0, 1, 2, 4, 8, 16, 32)
"""Columns of dots at either side that a smoothed curve takes the mean of, by level."""

USUAL_SMOOTHING = 2

ZOOM = 1.6
"""How much larger one zoom makes everything."""

NEAR_END = 0.95
"""A place so near the end of what is in sight is taken for the end."""

DEEPEST = 1e-6
"""The least stretch that is looked at, as a share of the whole."""

CURSOR_STEPS = 120
"""So many presses of a key take the cursor from one end to the other."""


@dataclass(frozen=True, slots=True)
class View:
    """What is seen. `window` is a stretch of the axis, None is all of it; `cursor` a place on it.

    `end` is where the axis of the whole run ends.
    """

    axis: Axis = Axis.STEPS
    end: float = 1.0
    window: tuple[float, float] | None = None
    cursor: float | None = None
    smoothing: int = USUAL_SMOOTHING
    earlier: bool = False

    @property
    def span(self) -> tuple[float, float]:
        """The first and the last place in sight."""
        return self.window or (0.0, self.end)

    @property
    def reach(self) -> int:
        """Columns of dots at either side that count for a smoothed value."""
        return SMOOTHINGS[self.smoothing]

    def with_last(self, last: float) -> View:
        """The same for a run that has come to `last`."""
        end = self.axis.end(last)
        return self if end == self.end else replace(self, end=end)

    def on(self, axis: Axis) -> View:
        """Everything along another axis; what was zoomed is not."""
        return replace(self, axis=axis, window=None, cursor=None)

    def smoother(self, by: int) -> View:
        """Another level of smoothing."""
        return replace(self, smoothing=min(max(self.smoothing + by, 0), len(SMOOTHINGS) - 1))

    def zoomed(self, closer: bool, at: float | None = None) -> View:
        """A smaller or larger stretch around a place, or around the cursor, or at the newest end.

        A zoom near the end keeps the end in sight, so that what is new goes on being seen.
        """
        start, end = self.span
        span = (end - start) * (1 / ZOOM if closer else ZOOM)
        if span >= self.end:
            return replace(self, window=None)
        if span < DEEPEST * self.end:
            return self
        centre = at if at is not None else self.cursor if self.cursor is not None else end
        share = (centre - start) / (end - start)
        if share > NEAR_END:
            centre, share = end, 1.0
        first = min(max(centre - share * span, 0.0), self.end - span)
        return replace(self, window=(first, first + span))

    def panned(self, by: float) -> View:
        """Moved by a share of what is in sight."""
        if self.window is None:
            return self
        start, end = self.window
        span = end - start
        first = min(max(start + by * span, 0.0), self.end - span)
        return replace(self, window=(first, first + span))

    def moved(self, by: int, last: float) -> View:
        """The cursor some steps on; it begins at the newest point."""
        start, end = self.span
        now = self.cursor if self.cursor is not None else min(last, end)
        at = now + by * (end - start) / CURSOR_STEPS
        return replace(self, cursor=min(max(at, start), end, last))

    def whole(self) -> View:
        """Everything, without a cursor."""
        return replace(self, window=None, cursor=None)
