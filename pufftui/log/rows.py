"""Which steps become one row: each at first, more and more of them as a run grows long."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

ROW_SECONDS = 1.0
"""A row of several steps covers at most so much time: its means, and the extremes beside them."""

AS_THEY_ARE = 5000
"""So many rows hold one step each; after as many again, a row holds twice as many steps as before."""

Write = Callable[[int, float, int, Mapping[str, float], Mapping[str, tuple[float, float]]], None]
"""Given a step, the seconds of the run, the number of calls so far, means and extremes."""


@dataclass(slots=True)
class Figure:
    """A metric in a row. The last value counts: one that is not finite stands alone."""

    total: float
    count: int
    low: float
    high: float

    @classmethod
    def of(cls, number: float, *, finite: bool) -> Figure:
        """A single value."""
        return cls(number, int(finite), number, number)

    def joined(self, later: Figure) -> Figure:
        """Both, one after the other."""
        if not (self.count and later.count):
            return later
        return Figure(
            self.total + later.total,
            self.count + later.count,
            min(self.low, later.low),
            max(self.high, later.high),
        )


@dataclass(slots=True)
class Row:
    """The figures of a step, or of several."""

    step: int = 0
    seconds: float = 0.0
    calls: int = 0
    began: float = 0.0
    steps: int = 0
    figures: dict[str, Figure] = field(default_factory=dict)

    def put(self, name: str, figure: Figure) -> None:
        """One more value."""
        before = self.figures.get(name)
        self.figures[name] = figure if before is None else before.joined(figure)


class Rows:
    """Takes values and gives rows to `write`, unless it is `crowded`: then the next row grows."""

    def __init__(self, write: Write, crowded: Callable[[], bool]) -> None:
        self._write, self._crowded = write, crowded
        self._past, self._newest = Row(), Row()
        self._width = 1
        self._written = 0

    def add(
        self, step: int, values: Iterable[tuple[str, float, bool]], seconds: float, calls: int
    ) -> None:
        """Values of a step, each with whether it is finite; `seconds` is now. Steps never fall."""
        newest = self._newest
        if newest.figures and step != newest.step:
            self._close_step(seconds)
            newest = self._newest
        if not newest.figures:
            newest.began = seconds
        newest.step, newest.seconds, newest.calls = step, seconds, calls
        for name, number, finite in values:
            newest.put(name, Figure.of(number, finite=finite))

    def flush(self) -> None:
        """Writes everything; the newest step in a row of its own, so that its values are there."""
        for row in (self._past, self._newest):
            self._put(row)
        self._past, self._newest = Row(), Row()

    def is_due(self, seconds: float) -> bool:
        """Whether something has waited long enough for the next step."""
        return bool(self._newest.figures) and seconds - self._newest.began >= ROW_SECONDS

    def _close_step(self, seconds: float) -> None:
        """Another step begins."""
        past, newest = self._past, self._newest
        if not past.figures:
            past = newest
        else:
            past.step, past.seconds, past.calls = newest.step, newest.seconds, newest.calls
            for name, figure in newest.figures.items():
                past.put(name, figure)
        past.steps += 1
        full = past.steps >= self._width or seconds - past.began >= ROW_SECONDS
        if full and not self._crowded():
            self._put(past)
            past = Row()
        self._past, self._newest = past, Row()

    def _put(self, row: Row) -> None:
        if not row.figures:
            return
        means: dict[str, float] = {}
        extremes: dict[str, tuple[float, float]] = {}
        for name, figure in row.figures.items():
            means[name] = figure.total / figure.count if figure.count else figure.total
            if figure.low < figure.high:
                extremes[name] = figure.low, figure.high
        self._write(row.step, row.seconds, row.calls, means, extremes)
        self._written += 1
        if self._written % AS_THEY_ARE == 0:
            self._width *= 2
