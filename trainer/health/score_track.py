"""How the score has gone so far: where it began, its level now, its best level, its noise."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from pufftui.trainer.health.course import LEARNED_SHARE, Course
from pufftui.trainer.health.moment import Facts, Moment
from pufftui.trainer.health.spell import Blocks, Noise

BLOCK_SECONDS, BLOCK_SHARE = 0.8, 1 / 150
LEVEL_BLOCKS = 3
"""A level is the median of so many blocks, so that a single odd one is nothing."""

RISEN_SHARE, RISEN_NOISE = 0.004, 4.0
"""The score has moved from this share of its range on, and from so many usual jumps."""

LEARNED_NOISE = 3.0
"""A rise counts from `LEARNED_SHARE` of the score's range on, and from so many usual jumps."""


class ScoreTrack:
    """Follows the score for all detectors that need to know whether anything is learned.

    Levels are NaN until three blocks are known. The best level is one that was held for as long as
    long episodes take: where all games begin at once, those that live to the time limit end together,
    and for a moment the score is theirs alone. `progress` is the share of the planned steps that are
    done, 0 if there is no plan.
    """

    def __init__(self, facts: Facts) -> None:
        self._total = facts.total_steps
        low, high = facts.score_low, facts.score_high
        known = low is not None and high is not None and math.isfinite(low + high)
        self.range = high - low if known and high is not None and low is not None else math.nan
        self.top = math.nan if high is None else high
        self.blocks = Blocks(BLOCK_SECONDS, BLOCK_SHARE)
        self._levels: deque[tuple[int, float]] = deque()
        self._noise = Noise()
        self.noise = 0.0
        """How much the score scatters from row to row, beside its trend."""
        self.base = self.level = self.best = math.nan
        self.best_at: Moment | None = None
        self.first: Moment | None = None
        """The first row with a score."""
        self.began = math.nan
        """Seconds of the first row of all; those of a run count from its start, which may take longer than all rows."""
        self.progress = 0.0
        self.course = Course()
        self.generation = 0.0
        """Agent steps that the longest of the last episodes took, counted over all agents, as last reported."""
        self.fresh = False
        """Whether the last row completed a block."""

    def see(self, moment: Moment) -> None:
        """Takes in a row."""
        if math.isnan(self.began):
            self.began = moment.seconds
        self.progress = moment.step / self._total if self._total else 0.0
        self.generation = moment.get("provisional_steps") or self.generation
        score = moment.get("score")
        self.fresh = False
        if score is None:
            return
        if math.isfinite(score):
            self.course.see(score, moment)
        if self.first is None:
            self.first = moment
        self._noise.see(score)
        if not self.blocks.see(score, moment) or len(self.blocks) < LEVEL_BLOCKS:
            return
        self.fresh = True
        self.noise = self._noise.deviation()
        self.level = float(np.median(self.blocks.last(LEVEL_BLOCKS)))
        if math.isnan(self.base):
            # A quick learner has risen within its first blocks already.
            self.base = float(self.blocks.last(LEVEL_BLOCKS).min())
        held = self._held(moment)
        if math.isnan(self.best) or held > self.best:
            self.best, self.best_at = held, moment

    def _held(self, moment: Moment) -> float:
        """The level that was not left since the longest of the last episodes began."""
        levels = self._levels
        levels.append((moment.step, self.level))
        began = moment.step - (moment.get("provisional_steps") or 0.0)
        while len(levels) > 1 and levels[1][0] <= began:
            levels.popleft()
        return min(level for _, level in levels)

    @property
    def gain(self) -> float:
        """From where it began to the best level."""
        return self.best - self.base

    @property
    def risen(self) -> bool:
        """Whether the score has moved up at all, by more than chance would explain.

        That it holds is no condition: where games grow long as they are learned, no level has been held for one yet.
        """
        least = RISEN_SHARE * self.range if not math.isnan(self.range) else 0.0
        return max(self.best, self.level) - self.base > max(RISEN_NOISE * self.noise, least)

    @property
    def learned(self) -> bool:
        """Whether the score has risen by more than chance would explain."""
        if math.isnan(self.level):
            return False
        least = LEARNED_SHARE * self.range if not math.isnan(self.range) else 0.0
        return self.gain > max(LEARNED_NOISE * self.noise, least)
