"""What a run's plan says before anything is learned: whether there is room to learn in it."""

from __future__ import annotations

from pufftui.trainer.health.detector import Detector, finding
from pufftui.trainer.health.finding import Finding, Level, Rule
from pufftui.trainer.health.moment import Moment

FEW = 500


class FewGradientSteps(Detector):
    """The planned steps leave so few gradient steps that hardly anything can be learned."""

    rule = Rule(
        id="plan.few_gradient_steps",
        title="There are few gradient steps in this run",
        metric="learning_rate",
        meaning=f"The planned agent steps, the minibatch and the replay ratio come to fewer than {FEW} gradient steps in all.",
        source="own measurements: with 180 of them a game that needs 500 ended at half of its score",
        advice="Lower --vec.agents or --train.minibatch-size, or train for longer.",
    )

    def see(self, moment: Moment) -> Finding | None:
        facts = self._facts
        steps = facts.total_steps * facts.replay_ratio / facts.minibatch if facts.minibatch else 0.0
        if not 0 < steps < FEW:
            return None
        text = f"{max(1, round(steps)):,} gradient steps in all."
        return finding(self.rule, Level.INFO, text, moment, steps, float(FEW))
