"""The course of the score over a whole run, by steps: whether it stopped getting better early."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pufftui.trainer.health.moment import Moment
from pufftui.trainer.health.spell import ROBUST, Noise

MOST_POINTS = 1024
"""Rows that are remembered; where there are more, neighbours become one."""

LEAST_POINTS = 20
"""Fewer rows with a score than this tell nothing, nor do fewer epochs, for a row has at least one."""

ROWS_A_BLOCK, LEAST_BLOCKS, MOST_BLOCKS = 3, 10, 40
LEAST_STILL = 4
"""Blocks in which the score must have been no better."""

EARLY_SHARE = 0.6
"""The score stopped getting better early if it did so in this share of the run's steps."""

SAME_SHARE = 0.03
"""A level is as good as the best within this share of what was gained; if nothing was, within the noise."""

LITTLE_SHARE, LITTLE_RANGE = 0.1, 0.01
"""A rise is nothing if it cannot be more than this share of what was gained, or of the score's range."""

PARTS = 5
"""A level is the mean of a stretch as long as the run in so many parts."""

SURE = 2.0
"""Standard errors within which a rise is known."""

RISEN_NOISE = 4.0
"""The score has risen at all if it did by so many times the noise of a block."""

LEARNED_SHARE = 0.02
"""A rise of less than this share of the score's range is nothing learned, and nothing to lose."""

LEAST_HELD = 2
"""Blocks for which a level must have been held, and for which it must be lost."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Standstill:
    """The score got no better after `since`; `best` and `last` are levels, and whether it `fell` between."""

    since: Moment
    best: float
    last: float
    fell: bool


@dataclass(frozen=True, slots=True)
class Fall:
    """The score has been lower since `since` than it was at its best; `best` and `last` are levels."""

    since: Moment
    best: float
    last: float


class Course:
    """Takes in the score of each row; only steps count, however fast they were."""

    def __init__(self) -> None:
        self._points: list[tuple[float, float, float]] = []
        self._waiting: list[tuple[float, float, float]] = []
        self._together = 1

    def see(self, score: float, at: Moment) -> None:
        """Takes in the score of a row."""
        self._waiting.append((at.step, at.seconds, score))
        if len(self._waiting) < self._together:
            return
        self._points.append(_one(self._waiting))
        self._waiting = []
        if len(self._points) >= MOST_POINTS:
            self._points = [_one(self._points[n : n + 2]) for n in range(0, MOST_POINTS, 2)]
            self._together *= 2

    def standstill(self, span: float) -> Standstill | None:
        """Whether the score got no better after an early step; `span` is its range, NaN if unknown.

        Without a range it must have risen before, for it might have begun at its top.
        """
        blocks = self._blocks()
        if blocks is None:
            return None
        steps, seconds, levels = blocks
        count = len(levels)
        late = count - max(round((1 - EARLY_SHARE) * count), LEAST_STILL)
        noise = max(_jumps(levels), _line(steps[late:], levels[late:]).scatter)
        width = count // PARTS
        smooth = np.convolve(levels, np.full(width, 1 / width), "valid")
        best = float(smooth.max())
        gain = best - float(levels[:2].min())
        risen = gain > RISEN_NOISE * noise
        same = SAME_SHARE * gain if risen else noise
        place = int(np.argmax(smooth >= best - same))
        # The mean over a stretch may reach that level a little before the score does.
        begin = place + width // 2
        if count - begin < LEAST_STILL or steps[place] > EARLY_SHARE * steps[-1]:
            return None
        known = not math.isnan(span)
        little = max(LITTLE_SHARE * gain, LITTLE_RANGE * span if known else 0.0)
        if _rises(steps[begin:], levels[begin:], little, SAME_SHARE * gain if risen else little):
            return None
        if not known and not risen:
            return None
        last = float(levels[-LEAST_STILL:].mean())
        began = Moment(int(steps[place]), float(seconds[place]), {})
        return Standstill(began, best, last, fell=best - last > max(little, SURE * noise))

    def fall(
        self, share: float, scatter: float, lasting: float, *, span: float, generation: float
    ) -> Fall | None:
        """Whether the score ended lower than its best level, and had been so for about a share `lasting` of the run's steps.

        By more than a `share` of what was gained, and by more than so many times what it scatters. `span` is its range, NaN if
        unknown; a level is one that was held for a `generation` of games, in steps.
        """
        blocks = self._blocks()
        if blocks is None:
            return None
        steps, seconds, levels = blocks
        count = len(levels)
        noise = max(_jumps(levels), _wandering(levels))
        width = max(round(lasting * count), LEAST_HELD)
        held = min(max(math.ceil(generation / (steps[-1] / count)), LEAST_HELD), count)
        best = float(np.lib.stride_tricks.sliding_window_view(levels, held).min(axis=1).max())
        gain = best - float(levels[:2].min())
        # Where nobody knows how much is much, a rise has to be twice as clear.
        learned = 2 * RISEN_NOISE * noise if math.isnan(span) else LEARNED_SHARE * span
        least = max(share * gain, scatter * noise)
        if gain <= max(RISEN_NOISE * noise, learned) or best - levels[-width:].max() <= least:
            return None
        place = int(np.flatnonzero(levels >= best - least)[-1])
        rest = slice(place + 1, None)
        still = count - place <= LEAST_STILL or _line(steps[rest], levels[rest]).surely <= (
            LITTLE_SHARE * gain
        )
        if not still:
            return None  # The best was a wave, and what has come since then still rises.
        since = Moment(int(steps[place]), float(seconds[place]), {})
        return Fall(since, best, float(levels[-width:].mean()))

    def _blocks(self) -> tuple[Floats, Floats, Floats] | None:
        """Last steps, seconds and mean scores of stretches of as many steps each; None if they are too few to tell anything."""
        if len(self._points) < LEAST_POINTS:
            return None
        points = np.array(self._points, np.float64)
        steps = points[:, 0]
        count = min(max(len(points) // ROWS_A_BLOCK, LEAST_BLOCKS), MOST_BLOCKS)
        edges = np.linspace(steps[0], steps[-1], count + 1)[1:-1]
        parts = np.split(points, np.searchsorted(steps, edges, side="right"))
        known = [part for part in parts if len(part)]
        if len(known) < LEAST_BLOCKS:
            return None
        ends = np.array([part[-1] for part in known])
        return ends[:, 0], ends[:, 1], np.array([part[:, 2].mean() for part in known])


def _one(points: list[tuple[float, float, float]]) -> tuple[float, float, float]:
    """Neighbours as one: the place of the last, the mean of the scores."""
    step, seconds, _ = points[-1]
    return step, seconds, sum(score for _, _, score in points) / len(points)


def _jumps(levels: Floats) -> float:
    noise = Noise()
    for level in levels.tolist():
        noise.see(level)
    return noise.deviation()


def _wandering(levels: Floats) -> float:
    """How far levels usually are from the mean of their neighbours: noise that hangs together, but no single step."""
    width = max(len(levels) // PARTS, LEAST_STILL - 1) | 1  # As many on both sides.
    smooth = np.convolve(levels, np.full(width, 1 / width), "valid")
    away = np.abs(levels[width // 2 : width // 2 + len(smooth)] - smooth)
    return float(ROBUST * np.median(away))


def _rises(steps: Floats, levels: Floats, little: float, seen: float) -> bool:
    """Whether levels may rise by more than `little`, surely rise by `seen`, or do so in the end."""
    whole, half = _line(steps, levels), len(levels) // 2
    end = _line(steps[half:], levels[half:])
    return (
        whole.rise + SURE * whole.error > little
        or whole.rise > max(SURE * whole.error, seen)
        or end.surely > little
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """A straight line through levels: how far it rises, the standard error of that, their scatter."""

    rise: float
    error: float
    scatter: float

    @property
    def surely(self) -> float:
        """How far it rises at least."""
        return self.rise - SURE * self.error


def _line(steps: Floats, levels: Floats) -> _Line:
    away = steps - steps.mean()
    squares, length = float(away @ away), float(steps[-1] - steps[0])
    slope = float(away @ levels) / squares
    rest = levels - levels.mean() - slope * away
    scatter = math.sqrt(float(rest @ rest) / max(len(levels) - 2, 1))
    return _Line(slope * length, scatter * length / math.sqrt(squares), scatter)
