"""What is told of an evaluation: by the figures of `pufftui eval`, fresh or kept with a run.

Three figures of a run are easily taken for each other, and have a name each, everywhere: its score, a mean over the
last episodes of training; the best of those; and its evaluation, for which games were played that nobody chose.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pufftui.appearance.format import NOTHING, figure
from pufftui.control.report import finite
from pufftui.trainer.messages.snapshot import SCORE_EPISODES
from pufftui.trainer.store import EvaluationRow


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The score of an evaluation: of the policy after `step` steps, with its 95 % interval, NaN if there is none."""

    step: int
    episodes: int
    greedy: bool
    mean: float
    low: float
    high: float

    @property
    def words(self) -> str:
        """`845 [838, 852]`, and whether the likeliest actions were taken: that is another way to play."""
        words = interval_words({"mean": self.mean, "low": self.low, "high": self.high})
        return f"{words} greedy" if self.greedy else words


def evaluated_as_json(evaluated: Evaluated | None) -> dict[str, Any] | None:
    """By public names; None where nothing was evaluated, and for what is not known."""
    if evaluated is None:
        return None
    found: dict[str, Any] = finite(asdict(evaluated))
    return found


def last_episodes(episodes: int) -> str:
    """What a score of training is a mean of, so many having ended in all."""
    return f"the last {min(episodes, SCORE_EPISODES):,} episodes of training"


def newest_evaluation(rows: Sequence[EvaluationRow]) -> Evaluated | None:
    """The last one that has a score, of the environment as it was trained in; None without any."""
    for row in reversed(rows):
        if row.result.get("changed"):
            continue
        score = row.result.get("score")
        if isinstance(score, dict) and isinstance(score.get("mean"), (int, float)):
            episodes = row.result.get("episodes")
            return Evaluated(
                step=row.step,
                episodes=episodes if isinstance(episodes, int) else 0,
                greedy=row.result.get("greedy") is True,
                mean=float(score["mean"]),
                low=_number(score.get("low")),
                high=_number(score.get("high")),
            )
    return None


def interval_words(mean: Mapping[str, Any] | None) -> str:
    """A mean with its interval, by public names: `845 [838, 852]`; a dash for what is not known."""
    if mean is None or not math.isfinite(_number(mean.get("mean"))):
        return NOTHING
    low, high = _number(mean.get("low")), _number(mean.get("high"))
    ends = f" [{figure(low)}, {figure(high)}]" if math.isfinite(low) and math.isfinite(high) else ""
    return f"{figure(float(mean['mean']))}{ends}"


def _number(value: object) -> float:
    known = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if known else math.nan  # type: ignore[arg-type]
