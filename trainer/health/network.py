"""Trouble inside the network: weights that grow, units that die, features that become one; batch size."""

from __future__ import annotations

import math

from pufftui.trainer.health.detector import Detector, finding
from pufftui.trainer.health.finding import Finding, Level, Remedy, Rule
from pufftui.trainer.health.moment import Facts, Moment
from pufftui.trainer.health.score_track import ScoreTrack
from pufftui.trainer.health.spell import Blocks, Spell

GROWTH, GROWTH_SPAN, GROWTH_LEAST, GROWTH_SECONDS = 2.5, 0.2, 3.0, 1.5


GROWTH_PROGRESS = 0.05


class GrowingWeights(Detector):
    """The weights grow while the score does not."""

    rule = Rule(
        id="weights.growing",
        title="The weights grow without end",
        metric="weight_norm",
        meaning=f"Their norm has grown by a factor of {GROWTH:g} within a fifth of the time so far, at least"
        f" {GROWTH_LEAST:g} s, after the first twentieth of the run, and the score is below its best level.",
        source="own measurements: benchmarks/health.py; Moalla et al., arXiv 2405.00662: growth precedes collapse",
        advice="Lower the learning rate. Large weights learn ever more slowly and can tip over.",
    )

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track)
        self._blocks = Blocks(0.5, 1 / 200)
        self._first: Moment | None = None
        self._spell = Spell(GROWTH_SECONDS, 10.0)

    def see(self, moment: Moment) -> Finding | None:
        norm, track = moment.get("weight_norm"), self._track
        if norm is None:
            return None
        self._first = self._first or moment
        self._blocks.see(norm, moment)
        span = max(GROWTH_LEAST, GROWTH_SPAN * (moment.seconds - self._first.seconds))
        before = self._blocks.mean_at(moment.seconds - span)
        if before is None or track.progress < GROWTH_PROGRESS:
            return None
        factor = norm / before if before > 0 else 1.0
        low = (
            math.isnan(track.level)
            or not track.learned
            or track.level < track.best - 2 * track.noise
        )
        if not self._spell.see(factor > GROWTH and low, moment):
            return None
        text = f"Their norm went from {before:.3g} to {norm:.3g}."
        return finding(
            self.rule,
            Level.WARNING,
            text,
            self._spell.since,
            norm,
            before * GROWTH,
            Remedy.ROLL_BACK,
        )


DEAD, DEAD_SECONDS = 0.5, 15.0


class DeadUnits(Detector):
    """A large part of the network does nothing any more."""

    rule = Rule(
        id="network.dead",
        title="Much of the network is dead",
        metric="dead_units",
        meaning=f"More than {DEAD:.0%} of the units hardly change, whatever the policy sees (below 2.5 % of what is usual in"
        f" their layer)"
        f" for {DEAD_SECONDS:g} s.",
        source="Sokar et al., arXiv 2302.12902 (dormant units)",
        advice="Dead units do not come back. Start again with a lower learning rate or a lower replay ratio.",
    )

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track)
        self._spell = Spell(DEAD_SECONDS)
        self._share = 0.0

    def see(self, moment: Moment) -> Finding | None:
        self._share = moment.values.get("dead_units", self._share)
        if not self._spell.see(self._share > DEAD, moment):
            return None
        text = f"{self._share:.0%} of the units are dead."
        return finding(
            self.rule, Level.WARNING, text, self._spell.since, self._share, DEAD, Remedy.ROLL_BACK
        )


POOR, POOR_OF_BEST, POOR_SECONDS = 0.04, 0.35, 15.0


class PoorFeatures(Detector):
    """What the network makes of observations has become nearly one-dimensional."""

    rule = Rule(
        id="network.rank",
        title="Features collapse",
        metric="feature_rank",
        meaning=f"99 % of the variance of the last features lies in fewer than {POOR:.0%} of their dimensions and in"
        f" fewer than {POOR_OF_BEST:.0%} of what it was at best, for {POOR_SECONDS:g} s, and the score is"
        " below its best level.",
        source="Moalla et al., arXiv 2405.00662: the rank falls before the policy collapses",
        advice="Go back to an earlier checkpoint and continue with a lower learning rate or replay ratio.",
    )

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track)
        self._spell = Spell(POOR_SECONDS)
        self._rank, self._best = 1.0, 0.0

    def see(self, moment: Moment) -> Finding | None:
        track = self._track
        self._rank = moment.values.get("feature_rank", self._rank)
        if "feature_rank" in moment.values:
            self._best = max(self._best, self._rank)
        low = (
            math.isnan(track.level)
            or not track.learned
            or track.level < track.best - 4 * track.noise
        )
        so = self._rank < POOR and self._rank < POOR_OF_BEST * self._best and low
        if not self._spell.see(so, moment):
            return None
        text = f"{self._rank:.1%} of the dimensions hold 99 % of the variance."
        return finding(
            self.rule, Level.WARNING, text, self._spell.since, self._rank, POOR, Remedy.ROLL_BACK
        )


MEMORY = 0.97
"""What is kept of the averages from one row to the next: about 30 rows count."""

TOO_SMALL, TOO_LARGE, BATCH_SECONDS = 20.0, 1 / 50, 30.0


class BatchSize(Detector):
    """The minibatch is far from the size at which larger ones stop helping."""

    rule = Rule(
        id="batch.size",
        title="The minibatch has the wrong size",
        metric="gradient_noise",
        meaning=f"The gradient noise scale, over about 30 rows, is more than {TOO_SMALL:g} times the minibatch or"
        f" less than a {1 / TOO_LARGE:g}th of it for {BATCH_SECONDS:g} s.",
        source="McCandlish et al., arXiv 1812.06162: it predicts the useful batch size to an order of magnitude",
        advice="",
    )

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track)
        self._minibatch = facts.minibatch
        self._signal = self._noise = 0.0
        self._weight = 0.0
        self._spell = Spell(BATCH_SECONDS)

    @property
    def scale(self) -> float | None:
        """The noise scale in agent steps, None while it is not known."""
        if self._weight < 0.5 or self._noise <= 0:
            return None
        return self._noise / self._signal if self._signal > 0 else math.inf

    def see(self, moment: Moment) -> Finding | None:
        signal, noise = moment.get("gradient_signal"), moment.get("gradient_noise")
        if signal is None or noise is None or not self._minibatch:
            return None
        self._signal = MEMORY * self._signal + (1 - MEMORY) * signal
        self._noise = MEMORY * self._noise + (1 - MEMORY) * noise
        self._weight = MEMORY * self._weight + (1 - MEMORY)
        scale = self.scale
        if scale is None:
            return None
        ratio = scale / self._minibatch
        if not self._spell.see(not TOO_LARGE <= ratio <= TOO_SMALL, moment):
            return None
        small = ratio > 1
        size = "far more than can be measured" if math.isinf(scale) else f"about {scale:,.0f} steps"
        text = f"Gradients agree from {size} on; a minibatch has {self._minibatch:,}." + (
            " It is mostly noise: raise --train.minibatch-size, if need be with more agents."
            if small
            else " A smaller one would learn as much from less: lower --train.minibatch-size."
        )
        value = None if math.isinf(scale) else scale
        return finding(
            self.rule, Level.INFO, text, self._spell.since, value, float(self._minibatch)
        )
