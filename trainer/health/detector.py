"""What all detectors of trouble with learning are: a stream of metrics in, a finding out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from pufftui.trainer.health.finding import Finding, Level, Remedy, Rule
from pufftui.trainer.health.moment import Facts, Moment, Reading
from pufftui.trainer.health.score_track import ScoreTrack
from pufftui.trainer.health.spell import Spell


class Detector(ABC):
    """Watches for one thing. `see` is called with every row and says what is wrong now, if it is.

    `track` has taken in the row before.
    """

    rule: ClassVar[Rule]
    unless: ClassVar[tuple[str, ...]] = ()
    """Rules that say more; where one of them holds at the end, `end` is not asked."""

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        self._facts, self._track = facts, track

    @abstractmethod
    def see(self, moment: Moment) -> Finding | None:
        """What is wrong now."""

    def end(self, last: Moment) -> Finding | None:  # noqa: ARG002
        """What the whole run tells, now that it has ended with this row; None is nothing new."""
        return None


class LastingDetector(Detector):
    """Watches for what must have been so for some seconds; of a run that is over sooner half is enough."""

    def __init__(self, facts: Facts, track: ScoreTrack, spell: Spell) -> None:
        super().__init__(facts, track)
        self._spell = spell
        self._latest: Finding | None = None

    def lasting(
        self,
        so: bool,
        moment: Moment,
        text: str,
        value: float,
        limit: float | None = None,
        remedy: Remedy = Remedy.NONE,
    ) -> Finding | None:
        """The warning if it has been `so` for long enough."""
        counts = self._spell.see(so, moment)
        self._latest = finding(
            self.rule, Level.WARNING, text, self._spell.since, value, limit, remedy
        )
        return self._latest if counts else None

    def end(self, last: Moment) -> Finding | None:
        return self._latest if self._spell.covers(self._track.began, last) else None


class MachineDetector(ABC):
    """The same for readings of the machine."""

    rule: ClassVar[Rule]

    @abstractmethod
    def see(self, reading: Reading) -> Finding | None:
        """What is wrong now."""


def finding(
    rule: Rule,
    level: Level,
    text: str,
    since: Moment | Reading | None,
    value: float | None = None,
    limit: float | None = None,
    remedy: Remedy = Remedy.NONE,
) -> Finding:
    """A finding that began at a moment."""
    step, seconds = (since.step, since.seconds) if since is not None else (0, 0.0)
    return Finding(rule, level, text, step, seconds, value, limit, remedy)
