"""Trouble that the policy shows: it moves too fast, settles too early, or never settles."""

from __future__ import annotations

from pufftui.trainer.health.detector import Detector, LastingDetector, finding
from pufftui.trainer.health.finding import Finding, Level, Remedy, Rule
from pufftui.trainer.health.moment import Facts, Moment
from pufftui.trainer.health.score_track import ScoreTrack
from pufftui.trainer.health.spell import Spell

SLOWER = "Lower the learning rate (key e), or the clip or the replay ratio."

KL_LIMIT, KL_SECONDS = 0.3, 4.0


class FastPolicy(LastingDetector):
    """The policy moves much further in an update than PPO is made for."""

    rule = Rule(
        id="policy.kl",
        title="The policy moves too fast",
        metric="approx_kl",
        meaning=f"The KL divergence between two updates is above {KL_LIMIT:g} for {KL_SECONDS:g} s. Healthy runs"
        " stay below 0.02 with Adam and below 0.15 with Muon.",
        source="The 37 implementation details of PPO (ICLR blog 2022); own measurements: benchmarks/health.py",
        advice=SLOWER,
    )

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track, Spell(KL_SECONDS, 10.0))

    def see(self, moment: Moment) -> Finding | None:
        kl = moment.get("approx_kl")
        if kl is None:
            return None
        text = f"The KL divergence of an update is {kl:.3g}."
        return self.lasting(kl > KL_LIMIT, moment, text, kl, KL_LIMIT, Remedy.ROLL_BACK)


CLIP_LIMIT, CLIP_SECONDS = 0.5, 8.0


class MuchClipped(LastingDetector):
    """Most of what the policy would learn is clipped away."""

    rule = Rule(
        id="policy.clipped",
        title="Most of each update is clipped",
        metric="clipfrac",
        meaning=f"More than {CLIP_LIMIT:.0%} of the ratios are beyond the clip for {CLIP_SECONDS:g} s.",
        source="own measurements (no published limit holds): benchmarks/health.py",
        advice=SLOWER,
    )

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track, Spell(CLIP_SECONDS, 10.0))

    def see(self, moment: Moment) -> Finding | None:
        share = moment.get("clipfrac")
        if share is None:
            return None
        text = f"{share:.0%} of the ratios are clipped."
        so = share > CLIP_LIMIT
        return self.lasting(so, moment, text, share, CLIP_LIMIT, Remedy.ROLL_BACK)


RANDOM_SHARE, RANDOM_PROGRESS, RANDOM_SECONDS = 0.97, 0.2, 5.0


class StillRandom(LastingDetector):
    """The policy still chooses as at the beginning, by chance."""

    rule = Rule(
        id="policy.random",
        title="The policy stays random",
        metric="entropy",
        meaning=f"The entropy is above {RANDOM_SHARE:.0%} of that of random actions after"
        f" {RANDOM_PROGRESS:.0%} of the run, and the score has not risen.",
        source="Jones, Debugging RL (andyljones.com/posts/rl-debugging.html); own measurements",
        advice="Lower the entropy coefficient or the value coefficient; if that does not help, look at the rewards.",
    )

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track, Spell(RANDOM_SECONDS))
        self._most = facts.most_entropy

    def see(self, moment: Moment) -> Finding | None:
        entropy = moment.get("entropy")
        if entropy is None or not self._most:
            return None
        share = entropy / self._most
        late = self._track.progress >= RANDOM_PROGRESS
        so = late and share > RANDOM_SHARE and not self._track.learned
        text = f"The entropy is {share:.0%} of its maximum."
        return self.lasting(so, moment, text, entropy, RANDOM_SHARE * self._most)


SETTLED_SHARE, SETTLED_SECONDS, SETTLED_GAIN = 0.02, 6.0, 0.25


class SettledEarly(Detector):
    """The policy has stopped trying anything before it has learned much."""

    rule = Rule(
        id="policy.collapse",
        title="The policy has settled too early",
        metric="entropy",
        meaning=f"The entropy is below {SETTLED_SHARE:.0%} of that of random actions for {SETTLED_SECONDS:g} s"
        f" in the first half of the run, and the score has gained less than {SETTLED_GAIN:.0%} of its"
        " range.",
        source="Jones, Debugging RL; Schulman, Nuts and bolts of deep RL; own measurements",
        advice="Go back to an earlier checkpoint, and raise the entropy coefficient or lower the learning rate: a policy that tries nothing has nothing to learn from.",
    )

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track)
        self._most = facts.most_entropy
        self._spell = Spell(SETTLED_SECONDS)

    def see(self, moment: Moment) -> Finding | None:
        entropy, track = moment.get("entropy"), self._track
        if entropy is None or not self._most:
            return None
        share = entropy / self._most
        little = not track.learned or track.level - track.base < SETTLED_GAIN * track.range
        so = share < SETTLED_SHARE and track.progress < 0.5 and little
        if not self._spell.see(so, moment):
            return None
        text = f"The entropy is {share:.1%} of its maximum."
        return finding(
            self.rule,
            Level.WARNING,
            text,
            self._spell.since,
            entropy,
            SETTLED_SHARE * self._most,
            Remedy.ROLL_BACK,
        )


UNUSED_SECONDS = 60.0


class UnusedActions(Detector):
    """Some actions are never taken."""

    rule = Rule(
        id="policy.unused",
        title="Some actions are never taken",
        metric="actions_used",
        meaning=f"For {UNUSED_SECONDS:g} s no sample has shown the policy take all of its actions.",
        source="own measurements: benchmarks/health.py",
        advice="That is fine if they are of no use. If they should be used, raise the entropy coefficient; pufftui env check says whether an action does anything at all.",
    )

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track)
        self._spell = Spell(UNUSED_SECONDS)
        self._last = 1.0

    def see(self, moment: Moment) -> Finding | None:
        used = moment.get("actions_used")
        if used is None:
            if not self._spell.counts:
                return None
            used = self._last
        else:
            self._last = used
            if not self._spell.see(used < 1, moment):
                return None
        text = f"{1 - used:.0%} of the actions are never taken."
        return finding(self.rule, Level.INFO, text, self._spell.since, used, 1.0)
