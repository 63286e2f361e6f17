"""Trouble with speed: training has become slower, or one part holds up all others."""

from __future__ import annotations

import numpy as np

from pufftui.trainer.health.detector import Detector, finding
from pufftui.trainer.health.finding import Finding, Level, Rule
from pufftui.trainer.health.moment import Facts, Moment
from pufftui.trainer.health.score_track import ScoreTrack
from pufftui.trainer.health.spell import Blocks, Spell

BLOCK_SECONDS, BLOCK_SHARE = 1.0, 1 / 200
SLOW, SLOW_SECONDS, SLOW_SHARE, SLOW_AFTER = 0.6, 4.0, 0.02, 6


class SpeedDrop(Detector):
    """Training is lastingly slower than it was."""

    rule = Rule(
        id="speed.drop",
        title="Training has become slow",
        metric="sps",
        meaning=f"The steps per second, as the median of three blocks, are below {SLOW:.0%} of what they were in"
        f" most blocks before, for {SLOW_SECONDS:g} s and {SLOW_SHARE:.0%} of the time so far.",
        source="own measurements: benchmarks/health.py",
        advice="Another program may be using the processor (see the machine panel), the processor or the GPU may be hot, or episodes have reached a part of the environment that takes longer.",
    )

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track)
        self._blocks = Blocks(BLOCK_SECONDS, BLOCK_SHARE)
        self._spell = Spell(SLOW_SECONDS, share=SLOW_SHARE)
        self._usual = self._level = 0.0

    def see(self, moment: Moment) -> Finding | None:
        speed = moment.get("sps")
        if speed is None:
            return None
        if self._blocks.see(speed, moment) and len(self._blocks) >= SLOW_AFTER:
            self._level = float(np.median(self._blocks.last(3)))
            if self._spell.since is None:
                self._usual = float(np.median(self._blocks.last(256)))
        if not self._spell.see(self._level < SLOW * self._usual, moment):
            return None
        text = f"{self._level:,.0f} steps a second; it was {self._usual:,.0f}."
        return finding(
            self.rule, Level.WARNING, text, self._spell.since, self._level, SLOW * self._usual
        )


STARVED, STARVED_SECONDS = 0.5, 30.0


class Starved(Detector):
    """The environments take longer than everything else."""

    rule = Rule(
        id="speed.starved",
        title="The environments hold up training",
        metric="time_env",
        meaning=f"They take more than {STARVED:.0%} of the time, with the copies to and from them, for"
        f" {STARVED_SECONDS:g} s.",
        source="the time split of the run",
        advice="Use more --vec.threads if there are cores, more --vec.agents so that each step does more at once, or make the step faster: pufftui env check compares its speed with others.",
    )

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track)
        self._spell = Spell(STARVED_SECONDS)

    def see(self, moment: Moment) -> Finding | None:
        share = moment.get("time_env")
        if share is None:
            return None
        share += moment.get("time_copy") or 0.0
        if not self._spell.see(share > STARVED, moment):
            return None
        text = f"They take {share:.0%} of the time."
        return finding(self.rule, Level.INFO, text, self._spell.since, share, STARVED)


class Prints(Detector):
    """The environment prints as it plays."""

    rule = Rule(
        id="speed.prints",
        title="The environment prints",
        metric="time_env",
        meaning="Something came on the standard output or error in the first steps of play.",
        source="no statistics are needed",
        advice="Take the printing out: it costs time in every step, and fills log.txt in the run's folder.",
    )

    def see(self, moment: Moment) -> Finding | None:  # noqa: ARG002
        if not self._facts.printed:
            return None
        text = f"It says, for instance: {self._facts.printed}"
        return finding(self.rule, Level.WARNING, text, Moment(0, 0.0, {}))


STALL_FACTOR, STALL_LEAST, FIRST_EPOCH = 8.0, 30.0, 30.0


class Stall:
    """No epoch has come to its end for far longer than usual."""

    rule = Rule(
        id="speed.stall",
        title="Training stands still",
        metric="sps",
        meaning=f"No row of figures for {STALL_LEAST:g} s and {STALL_FACTOR:g} times the usual time between two;"
        f" or none within the first {FIRST_EPOCH:g} s of training.",
        source="own measurements: benchmarks/health.py",
        advice="A step of the environment may hang, a network disk may not answer, or the machine may be swapping."
        " pufftui env check measures a step, py-spy dump --pid shows where it is.",
    )

    def __init__(self) -> None:
        self._last: Moment | None = None
        self._usual = 1.0

    def see(self, moment: Moment) -> None:
        """A row has come."""
        if self._last is not None:
            gap = moment.seconds - self._last.seconds
            self._usual += 0.1 * (gap - self._usual)
        self._last = moment

    def forget(self) -> None:
        """What comes now, a pause, is no stall."""
        self._last = None

    def silent(self, seconds: float) -> Finding | None:
        """What to say after so many seconds without a row."""
        limit = max(STALL_LEAST, STALL_FACTOR * self._usual)
        if self._last is None or seconds < limit:
            return None
        text = f"Nothing for {seconds:.0f} s; usually it takes {self._usual:.1f} s."
        return finding(self.rule, Level.WARNING, text, self._last, seconds, limit)

    @classmethod
    def in_trial(cls, seconds: float, start: Moment) -> Finding:
        """What to say after so many seconds in which the environment was only tried out."""
        text = f"A short trial of the environment has not ended in {seconds:.0f} s: a step may take long, or never return."
        return finding(cls.rule, Level.WARNING, text, start, seconds, seconds)

    def never(self, seconds: float, start: Moment) -> Finding | None:
        """What to say after so many seconds of training without a first row."""
        if seconds < FIRST_EPOCH:
            return None
        text = (
            f"The first epoch has not ended in {seconds:.0f} s: the environment may take long for a step, or "
            "never return from one."
        )
        return finding(self.rule, Level.WARNING, text, start, seconds, FIRST_EPOCH)
