"""All detectors together, and what has changed: a finding opens, grows worse, or is over."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pufftui.trainer.health.detector import Detector, MachineDetector
from pufftui.trainer.health.episodes import NoEpisodes
from pufftui.trainer.health.finding import Finding, Rule
from pufftui.trainer.health.logged import LossExplosion, NoNumber
from pufftui.trainer.health.losses import (
    BadValues,
    GradientBeyondLimit,
    GradientSpike,
    NotFinite,
    ValueExplosion,
)
from pufftui.trainer.health.machine import CostlyScreen, Disk, MemoryLeak, Throttled
from pufftui.trainer.health.moment import Facts, Moment, Reading
from pufftui.trainer.health.network import BatchSize, DeadUnits, GrowingWeights, PoorFeatures
from pufftui.trainer.health.plan import FewGradientSteps
from pufftui.trainer.health.policy import (
    FastPolicy,
    MuchClipped,
    SettledEarly,
    StillRandom,
    UnusedActions,
)
from pufftui.trainer.health.rewards import (
    BrokenFigures,
    ClampedRewards,
    FrozenObservations,
    NoRewards,
    SmallRewards,
)
from pufftui.trainer.health.score import BelowBest, NoLearning, Plateau, ScoreCrash
from pufftui.trainer.health.score_track import ScoreTrack
from pufftui.trainer.health.speed import Prints, SpeedDrop, Stall, Starved

LEARNING: tuple[type[Detector], ...] = (
    NotFinite,
    ScoreCrash,
    BelowBest,
    FewGradientSteps,
    NoLearning,
    Plateau,
    FastPolicy,
    MuchClipped,
    StillRandom,
    SettledEarly,
    UnusedActions,
    ValueExplosion,
    BadValues,
    GradientSpike,
    GradientBeyondLimit,
    GrowingWeights,
    DeadUnits,
    PoorFeatures,
    BatchSize,
    BrokenFigures,
    SmallRewards,
    ClampedRewards,
    NoRewards,
    NoEpisodes,
    FrozenObservations,
    Prints,
    SpeedDrop,
    Starved,
)
LOGGED: tuple[type[Detector], ...] = (ScoreCrash, LossExplosion, NoNumber)
"""What needs nothing but a score and losses, for runs of other programs."""

MACHINE: tuple[type[MachineDetector], ...] = (MemoryLeak, Disk, Throttled, CostlyScreen)

RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in (
        *(detector.rule for detector in (*LEARNING, *LOGGED)),
        *(detector.rule for detector in MACHINE),
        Stall.rule,
    )
}
"""Every rule there is, by id."""

AGAIN_SECONDS = 300.0
"""A rule that was over speaks up again after so long, or at once if it is worse than before."""


@dataclass(frozen=True, slots=True)
class Change:
    """A finding that has opened or grown worse, or, if `over`, is no longer so."""

    finding: Finding
    step: int
    seconds: float
    over: bool = False


class HealthSuite:
    """Feeds the detectors and keeps what is wrong now; knows nothing of threads, files or screens."""

    def __init__(self, facts: Facts) -> None:
        self._track = ScoreTrack(facts)
        self._learning = [
            detector(facts, self._track) for detector in (LOGGED if facts.logged else LEARNING)
        ]
        self._machine = [detector() for detector in MACHINE]
        self._open: dict[str, Finding] = {}
        self._closed: dict[str, tuple[float, Finding]] = {}
        self._last: Moment | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong now, the worst first."""
        return tuple(sorted(self._open.values(), key=lambda f: (-f.level, f.since_step)))

    def forget_findings(self) -> None:
        """What is wrong now is told again as if it were new."""
        self._open.clear()
        self._closed.clear()

    def see(self, moment: Moment) -> list[Change]:
        """Takes in a row of metrics."""
        self._track.see(moment)
        self._last = replace(moment, values={})
        found = [(detector.rule, detector.see(moment)) for detector in self._learning]
        return self._changes(found, moment)

    def end(self) -> list[Change]:
        """The run has ended, finished or stopped: what its whole course tells beside what is known."""
        changes: list[Change] = []
        if self._last is None:
            return changes
        for detector in self._learning:
            if self._open.keys() & {detector.rule.id, *detector.unless}:
                continue
            found = detector.end(self._last)
            if found is not None:
                self._open[found.rule.id] = found
                changes.append(Change(found, self._last.step, self._last.seconds))
        return changes

    def see_machine(self, reading: Reading) -> list[Change]:
        """Takes in a reading of the machine."""
        found = [(detector.rule, detector.see(reading)) for detector in self._machine]
        return self._changes(found, reading)

    def judge(self, rule: Rule, found: Finding | None, at: Moment | Reading) -> list[Change]:
        """Takes in what somebody else has found out about one rule."""
        return self._changes([(rule, found)], at)

    def _changes(
        self, found: list[tuple[Rule, Finding | None]], at: Moment | Reading
    ) -> list[Change]:
        changes = []
        for rule, now in found:
            before = self._open.get(rule.id)
            if now is None:
                if before is not None:
                    del self._open[rule.id]
                    self._closed[rule.id] = at.seconds, before
                    changes.append(Change(before, at.step, at.seconds, over=True))
            elif before is None and self._too_soon(now, at.seconds):
                continue
            else:
                self._open[rule.id] = now
                if before is None or now.level > before.level:
                    changes.append(Change(now, at.step, at.seconds))
        return changes

    def _too_soon(self, now: Finding, seconds: float) -> bool:
        if now.rule.id not in self._closed:
            return False
        when, last = self._closed[now.rule.id]
        return seconds - when < AGAIN_SECONDS and now.level <= last.level
