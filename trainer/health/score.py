"""Trouble that the score itself shows: it falls, it stands still, it never rises."""

from __future__ import annotations

import math

from pufftui.trainer.health.course import EARLY_SHARE, LITTLE_RANGE, LITTLE_SHARE
from pufftui.trainer.health.detector import Detector, finding
from pufftui.trainer.health.finding import Finding, Level, Remedy, Rule
from pufftui.trainer.health.moment import Facts, Moment
from pufftui.trainer.health.score_track import ScoreTrack
from pufftui.trainer.health.spell import Spell

DROP, DEEP_DROP = 0.5, 0.75
DROP_NOISE, DROP_GAIN = 12.0, 0.05
DROP_SECONDS, DEEP_SECONDS = 3.0, 8.0


class ScoreCrash(Detector):
    """A lasting drop of the score below its best level."""

    rule = Rule(
        id="score.crash",
        title="The score has crashed",
        metric="score",
        meaning=f"The level of the score (median of three blocks) lies below its best level by more than"
        f" {DROP:.0%} of all that was gained, and by more than {DROP_NOISE:g} times its scatter from"
        f" row to row, for {DROP_SECONDS:g} s and as long as an episode takes. Critical from"
        f" {DEEP_DROP:.0%} on. Less than {DROP_GAIN:.0%} of the score's range is too little to lose.",
        source="own measurements: benchmarks/health.py",
        advice="Go back to the last healthy checkpoint and continue with a lower learning rate or a smaller clip. If it happens again, more agents or a lower replay ratio make the updates steadier.",
    )

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track)
        self._spell = Spell(DROP_SECONDS)
        self._deep = Spell(DEEP_SECONDS)

    def see(self, moment: Moment) -> Finding | None:
        track = self._track
        enough = DROP_GAIN * track.range if not math.isnan(track.range) else 0.0
        if math.isnan(track.level) or not track.learned or track.gain < enough:
            return None
        drop, noise = track.best - track.level, DROP_NOISE * track.noise
        least = max(DROP * track.gain, noise)
        fell = self._spell.see(drop > least, moment)
        deep = self._deep.see(drop > max(DEEP_DROP * track.gain, noise), moment)
        if not fell or not self._seen_whole_episodes(moment):
            return None
        text = (
            f"It was at {track.best:.4g} and is at {track.level:.4g}:"
            f" {min(drop / track.gain, 1.0):.0%} of what was gained is lost."
        )
        level = Level.CRITICAL if deep else Level.WARNING
        since = track.best_at if track.best_at is not None else moment
        return finding(
            self.rule, level, text, since, track.level, track.best - least, Remedy.ROLL_BACK
        )

    def _seen_whole_episodes(self, moment: Moment) -> bool:
        """Whether long episodes, too, have ended since: where all begin at once, the short come first."""
        since = self._spell.since
        return since is None or moment.step - since.step >= (moment.get("provisional_steps") or 0)


BELOW, BELOW_NOISE = 0.15, 3.0
BELOW_SECONDS, BELOW_SHARE = 5.0, 0.15


class BelowBest(Detector):
    """The score has been better, and for long, but not by so much that it has crashed."""

    rule = Rule(
        id="score.below_best",
        title="The score stays below its best",
        metric="score",
        meaning=f"The level of the score lies below its best level by more than {BELOW:.0%} of all that was gained,"
        f" and by more than {BELOW_NOISE:g} times its scatter from row to row, for {BELOW_SECONDS:g} s,"
        f" {BELOW_SHARE:.0%} of the run's time and as long as an episode takes. At its end, however fast it was:"
        f" in about the last {BELOW_SHARE:.0%} of its steps, by as much, and as long as an episode takes.",
        source="own measurements: benchmarks/health.py",
        advice="A checkpoint from near the best score is kept, if one was written by then. Go on from there with a lower"
        " learning rate, or begin anew with more gradient steps: fewer agents, a smaller minibatch or a higher replay ratio.",
    )

    unless = (ScoreCrash.rule.id, "score.no_learning")

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track)
        self._spell = Spell(BELOW_SECONDS, share=BELOW_SHARE)

    def see(self, moment: Moment) -> Finding | None:
        track = self._track
        if math.isnan(track.level) or not track.learned:
            return None
        drop = track.best - track.level
        least = max(BELOW * track.gain, BELOW_NOISE * track.noise)
        crash = max(DROP * track.gain, DROP_NOISE * track.noise)
        below = self._spell.see(least < drop <= max(crash, least), moment)
        since = self._spell.since
        if not below or since is None:
            return None
        if moment.step - since.step < (moment.get("provisional_steps") or 0):
            return None
        text = (
            f"It was at {track.best:.4g} and has been lower since step {since.step:,}:"
            f" it is at {track.level:.4g}."
        )
        return finding(self.rule, Level.INFO, text, since, track.level, track.best - least)

    def end(self, last: Moment) -> Finding | None:
        track = self._track
        fall = track.course.fall(
            *(BELOW, BELOW_NOISE, BELOW_SHARE), span=track.range, generation=track.generation
        )
        if fall is None or last.step - fall.since.step < track.generation:
            return None
        text = (
            f"It was at {fall.best:.4g} and has been lower since step {fall.since.step:,} of"
            f" {last.step:,}: it ended at {fall.last:.4g}."
        )
        return finding(self.rule, Level.INFO, text, fall.since, fall.last)


PLATEAU_SECONDS, PLATEAU_SHARE = 300.0, 0.4
NEAR_TOP = 0.95


class Plateau(Detector):
    """The score has stood still for a good part of the run, below what is possible."""

    rule = Rule(
        id="score.plateau",
        title="The score no longer gets better",
        metric="score",
        meaning=f"While the run lasts: no better level for {PLATEAU_SECONDS / 60:g} minutes and"
        f" {PLATEAU_SHARE:.0%} of the steps. At its end, however fast it was: no better level after the"
        f" first {EARLY_SHARE:.0%} of the steps, and no rise in the rest of more than"
        f" {LITTLE_SHARE:.0%} of what was gained or {LITTLE_RANGE:.0%} of the score's range. It"
        f" is not judged above {NEAR_TOP:.0%} of its range, nor before games that began together have ended.",
        source="own measurements: benchmarks/health.py",
        advice="This may be all that the policy can do. Worth a try: more units or a memory, another learning rate, a higher entropy coefficient, or a higher gamma for rewards that are far away.",
    )
    unless = (ScoreCrash.rule.id, BelowBest.rule.id, "score.no_learning")

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track)
        self._best = -math.inf
        self._since: Moment | None = None

    def see(self, moment: Moment) -> Finding | None:
        track = self._track
        if math.isnan(track.level) or not track.learned:
            return None
        if track.level > self._best + max(0.01 * track.gain, 2 * track.noise):
            self._best, self._since = track.level, moment
        if self._since is None or self._is_near_top(track.level):
            return None
        seconds, steps = moment.seconds - self._since.seconds, moment.step - self._since.step
        if seconds < PLATEAU_SECONDS or steps < PLATEAU_SHARE * moment.step:
            return None
        text = f"It has been around {track.level:.4g} since step {self._since.step:,}."
        return finding(self.rule, Level.INFO, text, self._since, track.level)

    def end(self, last: Moment) -> Finding | None:
        still = self._track.course.standstill(self._track.range)
        if still is None or self._is_near_top(still.best):
            return None
        if last.step - still.since.step < self._track.generation:
            return None
        top = self._track.top
        possible = "" if math.isnan(top) else f" of at most {top:.4g}"
        before = f", from {still.best:.4g}" if still.fell else ""
        text = (
            f"It got no better after step {still.since.step:,} of {last.step:,}:"
            f" it ended at {still.last:.4g}{possible}{before}."
        )
        return finding(self.rule, Level.INFO, text, still.since, still.last)

    def _is_near_top(self, level: float) -> bool:
        track = self._track
        span = abs(track.top) if math.isnan(track.range) else track.range
        return level >= track.top - (1 - NEAR_TOP) * span


GENERATIONS = 3
SENSIBLE_SHARE, SENSIBLE_STEPS, SENSIBLE_SECONDS = 0.3, 5_000_000, 5.0


class NoLearning(Detector):
    """After a sensible time the score is still what it was at the beginning."""

    rule = Rule(
        id="score.no_learning",
        title="Nothing is learned",
        metric="score",
        meaning=f"After {SENSIBLE_SHARE:.0%} of the planned steps ({SENSIBLE_STEPS:,} without a plan) the score"
        " has not risen by 0.4 % of its range and four times its scatter from row to row. Three"
        " generations of episodes must have ended.",
        source="own measurements: benchmarks/health.py",
        advice="Look at the rewards first: do they come at all, and are they between 0.1 and 1? Then at the"
        " entropy: at its maximum the policy is still random, at zero it has settled on something bad."
        " pufftui env check finds mistakes in an environment of your own.",
    )

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track)
        self._planned = facts.total_steps > 0
        self._spell = Spell(2.0)

    def see(self, moment: Moment) -> Finding | None:
        track = self._track
        if math.isnan(track.level) or track.first is None:
            return None
        done = track.progress >= SENSIBLE_SHARE if self._planned else moment.step >= SENSIBLE_STEPS
        known = moment.seconds - track.first.seconds >= SENSIBLE_SECONDS
        generation = moment.get("provisional_steps") or 0.0
        known = known and moment.step - track.first.step >= GENERATIONS * generation
        at_top = track.level >= track.top - 0.1 * track.range
        if not self._spell.see(done and known and not track.risen and not at_top, moment):
            return None
        text = (
            f"It began at {track.base:.4g} and is at {track.level:.4g} after {moment.step:,} steps."
        )
        return finding(self.rule, Level.WARNING, text, track.first, track.level)
