"""How the score has gone so far: where it began, its level now, its best level, its noise."""

from __future__ import annotations

import math

import numpy as np

from pufftui.trainer.health.moment import Facts, Moment
from pufftui.trainer.health.spell import Blocks

BLOCK_SECONDS = 4.0
LEVEL_BLOCKS = 3
"""A level is the median of so many blocks, so that a single odd one is nothing."""


class ScoreTrack:
    """Follows the score for all detectors that need to know whether anything is learned.

    Levels are NaN until three blocks are known. `progress` is the share of the planned steps that are
    done, 0 if there is no plan.
    """

    def __init__(self, facts: Facts) -> None:
        self._total = facts.total_steps
        low, high = facts.score_low, facts.score_high
        known = low is not None and high is not None and math.isfinite(low + high)
        self.range = high - low if known and high is not None and low is not None else math.nan
        self.top = math.nan if high is None else high
        self.blocks = Blocks(BLOCK_SECONDS)
        self.base = self.level = self.best = math.nan
        self.best_at: Moment | None = None
        self.first: Moment | None = None
        self.progress = 0.0
        self.fresh = False
        """Whether the last row completed a block."""

    def see(self, moment: Moment) -> None:
        """Takes in a row."""
        self.progress = moment.step / self._total if self._total else 0.0
        score = moment.get("score")
        self.fresh = False
        if score is None:
            return
        if self.first is None:
            self.first = moment
        if not self.blocks.see(score, moment) or len(self.blocks) < LEVEL_BLOCKS:
            return
        self.fresh = True
        self.level = float(np.median(self.blocks.last(LEVEL_BLOCKS)))
        if math.isnan(self.base):
            # A quick learner has risen within its first blocks already.
            self.base = float(self.blocks.last(LEVEL_BLOCKS).min())
        if math.isnan(self.best) or self.level > self.best:
            self.best, self.best_at = self.level, moment

    @property
    def noise(self) -> float:
        """The usual jump of the score from one block to the next."""
        return self.blocks.noise()

    @property
    def gain(self) -> float:
        """From where it began to the best level."""
        return self.best - self.base

    @property
    def learned(self) -> bool:
        """Whether the score has risen by more than chance would explain."""
        if math.isnan(self.level):
            return False
        least = 0.02 * self.range if not math.isnan(self.range) else 0.0
        return self.gain > max(4 * self.noise, least)
