"""What the best of several runs is worth: it was chosen for its score, and part of that was luck."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pufftui.appearance.format import figure
from pufftui.runs.groups import Group
from pufftui.runs.summary import SCORE, RunSummary
from pufftui.series.stored import MORE_IS_BETTER
from pufftui.trainer.messages.snapshot import INTERVAL_ERRORS

MANY = 3
"""From so many runs on their spread tells something."""


def evaluated_words(runs: Sequence[RunSummary]) -> str:
    """What evaluations found: of one run its score with its interval, of several the lowest and the highest."""
    found = [run.evaluated for run in runs if run.evaluated is not None]
    if len(runs) == 1 or not found:
        return found[0].words if found else ""
    scores = sorted(one.mean for one in found)
    return f"{figure(scores[0])} to {figure(scores[-1])} (n={len(found)})"


def expected_fall(runs: Sequence[RunSummary]) -> float | None:
    """By what share the best score of these runs is expected to fall when its policy is evaluated.

    The scores vary for two reasons: the policies differ, and each score is the mean of a few episodes, whose
    error its interval tells. The best has more than its share of the second. If both vary normally, the
    policy itself is expected to be nearer to the mean of all by the share of the variance that is error
    (Efron and Morris, "Stein's Estimation Rule and Its Competitors", 1973). None if that cannot be told: too few
    runs, several environments, no intervals, or no spread.
    """
    told = [
        (run.score, run.last["score_high"] - run.last["score_low"])
        for run in runs
        if run.score is not None and {"score_low", "score_high"} <= set(run.last)
    ]
    if len(told) < max(MANY, len(runs)) or len({run.env for run in runs}) > 1:
        return None
    scores, widths = np.array(told, np.float64).T
    spread, best = float(scores.var(ddof=1)), float(scores.max())
    if not np.isfinite(spread) or spread <= 0 or best == 0 or not np.isfinite(widths).all():
        return None
    error = float(np.square(widths / 2 / INTERVAL_ERRORS).mean())
    return min(error / spread, 1.0) * (best - float(scores.mean())) / abs(best)


def selection_words(runs: Sequence[RunSummary]) -> str:
    """A sentence for people: `best of 12 runs: expect 3 % less when it is evaluated`; empty for few runs."""
    if len(runs) < MANY:
        return ""
    fall = expected_fall(runs)
    if fall is None:
        return _chosen(len(runs))
    less = f"{100 * fall:.0f} % less" if fall >= 0.01 else "up to 1 % less"
    return f"best of {len(runs)} runs: expect {less} when it is evaluated"


def selection_caution(groups: Sequence[Group], metric: str) -> str:
    """That the best of these curves was chosen by this metric, and how much that flatters it, as far as it is known.

    Empty where they are few, or where the metric has no best. How much is only known of the score of single runs.
    """
    if metric not in MORE_IS_BETTER or len(groups) < MANY:
        return ""
    if metric == SCORE and all(len(group.runs) == 1 for group in groups):
        return selection_words([group.runs[0] for group in groups])
    return _chosen(len(groups))


def _chosen(count: int) -> str:
    """Where no figure can be given."""
    return f"the best of {count} was chosen afterwards: a new run will do less well"
