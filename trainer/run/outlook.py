"""How long a run will still take, from how fast it was: steady, though the speed of a moment is not."""

from __future__ import annotations

from collections import deque

LEAST_SECONDS = 60.0
SHARE = 0.25
"""The speed is that of the last minute, or of a quarter of what was seen if that is longer."""

FIRST_SECONDS = 3.0
"""Before that, nothing is known."""

MOST_POINTS = 500


class Outlook:
    """Follows steps over time. What was a rest does not count, and where a run goes back it begins anew."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, int]] = deque()
        self._began = 0.0
        self._rested = 0.0
        self._last = 0.0
        self._resting = False

    def see(self, seconds: float, step: int) -> None:
        """A run is at a step at this time, on any clock that does not go back."""
        if self._resting:
            self._rested += max(seconds - self._last, 0.0)
            self._resting = False
        self._last, now = seconds, seconds - self._rested
        points = self._points
        if not points or step < points[-1][1] or now < points[-1][0]:
            points.clear()
            self._began = now
        window = max(LEAST_SECONDS, SHARE * (now - self._began))
        while len(points) > 2 and now - points[1][0] >= window:
            points.popleft()
        # The newest point is moved until it is far enough from the one before it.
        if len(points) > 1 and points[-1][0] - points[-2][0] < window / MOST_POINTS:
            points.pop()
        points.append((now, step))

    def rest(self) -> None:
        """Until the next look, nothing was done: a pause."""
        self._resting = bool(self._points)

    def seconds(self, steps: int) -> float | None:
        """How long so many more steps will take; None if too little is known, or nothing moves."""
        if not self._points:
            return None
        (then, first), (now, last) = self._points[0], self._points[-1]
        if now - then < FIRST_SECONDS or last <= first:
            return None
        return max(steps, 0) * (now - then) / (last - first)
