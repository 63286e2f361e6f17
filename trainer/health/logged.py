"""Trouble that any program's figures show, whatever it trains: a loss beyond measure, no number at all."""

from __future__ import annotations

import math

from pufftui.trainer.health.detector import Detector, finding
from pufftui.trainer.health.finding import Finding, Level, Rule
from pufftui.trainer.health.moment import Facts, Moment
from pufftui.trainer.health.score_track import ScoreTrack
from pufftui.trainer.health.spell import Spell, Usual

FAR, FAR_LEAST, FAR_SECONDS = 100.0, 16, 3.0


def is_loss(name: str) -> bool:
    """Whether a metric is one by its name: loss, train/loss, value_loss."""
    return name.lower().endswith("loss")


class LossExplosion(Detector):
    """A loss has grown far beyond what it was."""

    rule = Rule(
        id="loss.exploded",
        title="A loss explodes",
        metric="loss",
        meaning=f"The size of a metric whose name ends in loss is above {FAR:g} times its usual mean for"
        f" {FAR_SECONDS:g} s; {FAR_LEAST} rows must be known. For runs that other programs log.",
        source="a wide margin, not a measurement: what is usual differs from program to program",
        advice="Lower the learning rate, limit the norm of the gradient, and look at what the data are there.",
    )

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track)
        self._usual: dict[str, Usual] = {}
        self._spells: dict[str, Spell] = {}

    def see(self, moment: Moment) -> Finding | None:
        worst: Finding | None = None
        for name, value in moment.values.items():
            if is_loss(name) and math.isfinite(value):
                found = self._see(name, abs(value), moment)
                worst = worst or found
        return worst

    def _see(self, name: str, size: float, moment: Moment) -> Finding | None:
        usual = self._usual.setdefault(name, Usual(least=FAR_LEAST))
        spell = self._spells.setdefault(name, Spell(FAR_SECONDS))
        mean = usual.mean() if usual.known >= FAR_LEAST else math.nan
        beyond = size > FAR * mean > 0
        if not beyond:
            usual.add(size)
        if not spell.see(beyond, moment):
            return None
        text = f"{name} is {size:.3g}; before it was about {mean:.3g}."
        return finding(self.rule, Level.WARNING, text, spell.since, size, FAR * mean)


class NoNumber(Detector):
    """A figure that was logged is no finite number."""

    rule = Rule(
        id="numbers.logged",
        title="A figure is no number",
        metric="loss",
        meaning="The last value of a metric was infinite or not a number. One is enough. For runs that other"
        " programs log.",
        source="no statistics are needed",
        advice="If it is a loss, the weights are most likely lost: go back to an earlier checkpoint with a lower"
        " learning rate. If it is a mean, look whether there was anything to take the mean of.",
    )

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track)
        self._since: dict[str, Moment] = {}

    def see(self, moment: Moment) -> Finding | None:
        for name, value in moment.values.items():
            if math.isfinite(value):
                self._since.pop(name, None)
            else:
                self._since.setdefault(name, moment)
        if not self._since:
            return None
        names = sorted(self._since, key=lambda name: (not is_loss(name), name))
        since = self._since[names[0]]
        more = f", and {len(names) - 1} more" if len(names) > 1 else ""
        text = f"{names[0]} is no finite number since step {since.step:,}{more}."
        return finding(self.rule, Level.WARNING, text, since)
