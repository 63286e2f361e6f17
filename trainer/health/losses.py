"""Trouble that the losses and the gradient show."""

from __future__ import annotations

import math

from pufftui.trainer.health.detector import Detector, LastingDetector, finding
from pufftui.trainer.health.finding import Finding, Level, Remedy, Rule
from pufftui.trainer.health.moment import Facts, Moment
from pufftui.trainer.health.policy import SLOWER
from pufftui.trainer.health.score_track import ScoreTrack
from pufftui.trainer.health.spell import Spell, Usual


class NotFinite(Detector):
    """A number has stopped being one. The trainer stops before such an update is applied."""

    rule = Rule(
        id="numbers.not_finite",
        title="Numbers are no longer finite",
        metric="finite",
        meaning="The gradient of a minibatch is infinite or not a number. One is enough.",
        source="no statistics are needed",
        advice="The last good weights are kept. The log says where the number came from: an observation or a reward of the environment, or a gradient that grew too large (lower the learning rate).",
    )

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track)
        self._since: Moment | None = None

    def see(self, moment: Moment) -> Finding | None:
        share = moment.get("finite")
        if share is None:
            return None
        if share < 1:
            self._since = self._since or moment
            text = f"{1 - share:.0%} of the last gradients were not finite."
            return finding(self.rule, Level.CRITICAL, text, self._since, share, 1.0)
        self._since = None
        return None


EXPLODED, EXPLODED_LEAST, EXPLODED_SECONDS = 8.0, 2.0, 5.0


class ValueExplosion(Detector):
    """The value loss has grown far beyond what it was."""

    rule = Rule(
        id="values.exploded",
        title="The value loss explodes",
        metric="value_loss",
        meaning=f"The value loss is above {EXPLODED_LEAST:g} and above {EXPLODED:g} times its usual mean for"
        f" {EXPLODED_SECONDS:g} s.",
        source="own measurements: benchmarks/health.py",
        advice=f"{SLOWER} The rewards of an episode should add up to about 1 to 10: see reward_scale.",
    )

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track)
        self._usual = Usual(least=16)
        self._spell = Spell(EXPLODED_SECONDS, 10.0)

    def see(self, moment: Moment) -> Finding | None:
        loss = moment.get("value_loss")
        if loss is None:
            return None
        usual = self._usual.mean()
        beyond = not math.isnan(usual) and loss > max(EXPLODED * usual, EXPLODED_LEAST)
        if not beyond:
            self._usual.add(loss)
        if not self._spell.see(beyond, moment):
            return None
        text = f"It is {loss:.3g}; before it was about {usual:.3g}."
        limit = max(EXPLODED * usual, EXPLODED_LEAST)
        return finding(
            self.rule, Level.WARNING, text, self._spell.since, loss, limit, Remedy.ROLL_BACK
        )


WORSE_SECONDS, WORSE_PROGRESS, WORSE_SPREAD = 20.0, 0.1, 0.05


class BadValues(Detector):
    """The values predict the returns worse than their mean would."""

    rule = Rule(
        id="values.worthless",
        title="The values explain nothing",
        metric="explained_variance",
        meaning=f"The explained variance is below 0 for {WORSE_SECONDS:g} s, after {WORSE_PROGRESS:.0%} of the"
        f" run, while the returns spread by more than {WORSE_SPREAD:g}: where all returns are alike, as in"
        " a solved game, it says nothing.",
        source="Schulman, Nuts and bolts of deep RL: negative is worse than predicting the mean",
        advice="Raise the value coefficient or lower the learning rate; check that rewards are between 0.1 and 1.",
    )

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track)
        self._spell = Spell(WORSE_SECONDS)

    def see(self, moment: Moment) -> Finding | None:
        explained, loss = moment.get("explained_variance"), moment.get("value_loss")
        if explained is None or loss is None:
            return None
        # The residual's variance is about twice the loss, so that of the returns follows.
        spread = math.sqrt(max(2 * loss / max(1 - explained, 1e-9), 0.0))
        late = self._track.progress >= WORSE_PROGRESS
        so = late and explained < 0 and spread > WORSE_SPREAD
        if not self._spell.see(so, moment):
            return None
        text = f"The explained variance is {explained:.2f}."
        return finding(self.rule, Level.WARNING, text, self._spell.since, explained, 0.0)


BEYOND, BEYOND_SECONDS = 15.0, 5.0


class GradientBeyondLimit(LastingDetector):
    """The gradient is so large that little but its direction is left, and one loss may drown the others."""

    rule = Rule(
        id="gradient.limit",
        title="The gradient is far beyond its limit",
        metric="grad_norm",
        meaning=f"Its norm is more than {BEYOND:g} times max_gradient_norm for {BEYOND_SECONDS:g} s.",
        source="own measurements: healthy runs stay below five times the limit",
        advice="The largest loss drowns the others: lower value_coefficient or reward_scale, or the learning rate if"
        " the value loss explodes.",
    )

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track, Spell(BEYOND_SECONDS, 10.0))

    def see(self, moment: Moment) -> Finding | None:
        norm, limit = moment.get("grad_norm"), BEYOND * self._facts.max_gradient_norm
        if norm is None or not limit:
            return None
        text = f"It is {norm:.3g}; the limit is {self._facts.max_gradient_norm:g}."
        return self.lasting(norm > limit, moment, text, norm, limit)


SPIKE_DEVIATIONS, SPIKE_FACTOR, SPIKE_SECONDS = 6.0, 10.0, 3.0


class GradientSpike(Detector):
    """The gradient is suddenly far larger than usual."""

    rule = Rule(
        id="gradient.spike",
        title="The gradient has jumped",
        metric="grad_norm",
        meaning=f"Its norm is {SPIKE_FACTOR:g} times the mean of the last 128 rows, and its logarithm"
        f" {SPIKE_DEVIATIONS:g} deviations above theirs, for {SPIKE_SECONDS:g} s.",
        source="OLMo-core's rule for spikes (6 deviations over 128 steps); measured: no false alarms",
        advice="A single jump does no harm, because the gradient is clipped. If it comes back, lower the learning rate.",
    )

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track)
        self._usual = Usual()
        self._spell = Spell(SPIKE_SECONDS, 10.0)

    def see(self, moment: Moment) -> Finding | None:
        norm = moment.get("grad_norm")
        if norm is None or norm <= 0:
            return None
        size = math.log(norm)
        far = self._usual.distance(size) > SPIKE_DEVIATIONS
        usual = math.exp(self._usual.mean()) if far else norm
        far = far and norm > SPIKE_FACTOR * usual
        if not far:
            self._usual.add(size)
        if not self._spell.see(far, moment):
            return None
        text = f"It is {norm:.3g}; usually it is {usual:.3g}."
        return finding(
            self.rule, Level.WARNING, text, self._spell.since, norm, SPIKE_FACTOR * usual
        )
