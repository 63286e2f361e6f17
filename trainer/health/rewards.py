"""Trouble with what the environment gives: rewards that teach nothing, observations that show nothing."""

from __future__ import annotations

from pufftui.trainer.health.detector import Detector, LastingDetector, finding
from pufftui.trainer.health.finding import Finding, Level, Rule
from pufftui.trainer.health.moment import Facts, Moment
from pufftui.trainer.health.score_track import ScoreTrack
from pufftui.trainer.health.spell import Spell


class BrokenFigures(Detector):
    """The environment gives a reward, a score or a statistic that is infinite or not a number."""

    rule = Rule(
        id="rewards.not_finite",
        title="The environment gives numbers that are not finite",
        metric="broken_figures",
        meaning="A reward, a score, a return or a statistic of an episode is infinite or not a number. One is enough.",
        source="no statistics are needed",
        advice="Training goes on, with infinite rewards clipped to 1 and without those scores, so its figures are not to be trusted. pufftui env check plays the environment and names the step.",
    )

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track)
        self._since: Moment | None = None

    def see(self, moment: Moment) -> Finding | None:
        share = moment.get("broken_figures")
        if not share:
            self._since = None
            return None
        self._since = self._since or moment
        text = f"{share:.0%} of the last epochs had some."
        return finding(self.rule, Level.WARNING, text, self._since, share, 0.0)


SMALL, SMALL_SECONDS = 0.1, 4.0
ACCEPTED_SMALL = SMALL / 100
"""What an author who accepts small rewards cannot have meant."""

ACCEPT_SMALL, ACCEPT_CLAMPED = "reward_small", "reward_clamped"


class SmallRewards(LastingDetector):
    """Rewards so small that learning hardly notices them, also all together within the discount's reach."""

    rule = Rule(
        id="rewards.small",
        title="Rewards are too small to learn from",
        metric="reward_size",
        meaning=f"The mean size of rewards that are not zero, after reward_scale, is below {SMALL:g} for"
        f" {SMALL_SECONDS:g} s, and so is what adds up within 1 / (1 - gamma) steps.",
        source="own measurements: below that, values and advantages drown in noise",
        advice="Raise --train.reward-scale so that a typical reward is near 1, or the rewards in the environment. If they are small on purpose, say so in its TOML: reward_small_ok in [check].",
    )

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track, Spell(SMALL_SECONDS))
        self._limit = ACCEPTED_SMALL if ACCEPT_SMALL in facts.accepted else SMALL
        self._reach = 1 / max(1 - facts.gamma, 1e-6)

    def see(self, moment: Moment) -> Finding | None:
        size = moment.get("reward_size")
        if size is None:
            return None
        together = size * max(1.0, self._reach * (moment.get("reward_nonzero") or 0.0))
        text = f"Their typical size is {size:.2g}."
        return self.lasting(0 < together < self._limit, moment, text, size, self._limit)


CLAMPED, CLAMPED_SECONDS = 0.2, 4.0


class ClampedRewards(LastingDetector):
    """So many rewards are clipped that the policy cannot tell a good one from a better one."""

    rule = Rule(
        id="rewards.clamped",
        title="Rewards are clipped",
        metric="clamped_rewards",
        meaning=f"More than {CLAMPED:.0%} of the rewards that are not zero are larger than 1 after reward_scale, and so"
        f" become 1, for {CLAMPED_SECONDS:g} s.",
        source="own measurements: benchmarks/health.py",
        advice="Lower --train.reward-scale until the largest common reward is 1. If that is what you want, say so in the environment's TOML: reward_clamped_ok in [check].",
    )

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track, Spell(CLAMPED_SECONDS))
        self._accepted = ACCEPT_CLAMPED in facts.accepted

    def see(self, moment: Moment) -> Finding | None:
        clamped, given = moment.get("clamped_rewards"), moment.get("reward_nonzero")
        if clamped is None or not given or self._accepted:
            return None
        share = clamped / given
        text = f"{share:.0%} of the rewards are clipped."
        return self.lasting(share > CLAMPED, moment, text, share, CLAMPED)


NONE_SHARE, NONE_STEPS, NONE_SECONDS = 0.2, 2_000_000, 4.0


class NoRewards(LastingDetector):
    """Not a single reward has come."""

    rule = Rule(
        id="rewards.none",
        title="There has never been a reward",
        metric="reward_nonzero",
        meaning=f"Every reward was zero for {NONE_SHARE:.0%} of the planned steps ({NONE_STEPS:,} without a plan)"
        f" and {NONE_SECONDS:g} s.",
        source="without rewards there is nothing to learn",
        advice="Reward something that already happens by chance, such as coming nearer; or start episodes near the goal. pufftui env check says whether random play is ever rewarded.",
    )

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track, Spell(NONE_SECONDS))
        self._planned = facts.total_steps > 0
        self._came = False

    def see(self, moment: Moment) -> Finding | None:
        given = moment.get("reward_nonzero")
        if given is None:
            return None
        self._came = self._came or given > 0
        text = f"All rewards were zero for {moment.step:,} steps."
        found = self.lasting(not self._came, moment, text, 0.0)
        return found if not self._came and self._is_far(moment) else None

    def end(self, last: Moment) -> Finding | None:
        return super().end(last) if self._is_far(last) else None

    def _is_far(self, moment: Moment) -> bool:
        if self._planned:
            return self._track.progress >= NONE_SHARE
        return moment.step >= NONE_STEPS


class FrozenObservations(Detector):
    """Every observation is the same."""

    rule = Rule(
        id="observations.frozen",
        title="Observations never change",
        metric="observation_change",
        meaning="In two samples in a row, all observations of all agents are the same.",
        source="without anything to see there is nothing to decide",
        advice="The environment writes no observations, or to the wrong place. pufftui env check finds out which.",
    )

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track)
        self._since: Moment | None = None
        self._times = 0
        self._found: Finding | None = None

    def see(self, moment: Moment) -> Finding | None:
        change = moment.get("observation_change")
        if change is None:
            return self._found
        if change > 0:
            self._since, self._times, self._found = None, 0, None
            return None
        self._since = self._since or moment
        self._times += 1
        if self._times >= 2:
            text = "All agents see the same, in every step."
            self._found = finding(self.rule, Level.CRITICAL, text, self._since, 0.0)
        return self._found
