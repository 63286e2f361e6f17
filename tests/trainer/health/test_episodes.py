"""A game that never ends has no score: that is said, once it is odd, and no earlier."""

from __future__ import annotations

from dataclasses import replace

import pytest
from streams import FACTS, STEPS_A_SECOND, changes, rows, told

from pufftui.trainer.health import HealthSuite, Level

OURS = replace(FACTS, agents=64, horizon=16)


def since(facts, seconds: int = 300, episodes: float | None = 0.0) -> float | None:
    """The agent steps after which it is told; None if it is not."""
    found = changes(rows(episodes=[episodes] * seconds, sps=[1.0] * seconds), facts)
    return next((c.step for c in found if c.finding.rule.id == "episodes.none"), None)


@pytest.mark.parametrize(
    ("agents", "horizon", "after"),
    [(64, 16, 100_000), (256, 64, 256_000), (64, 1000, 256_000), (1, 16, 100_000)],
)
def test_it_is_told_after_a_sensible_number_of_steps(agents, horizon, after) -> None:
    step = since(replace(FACTS, agents=agents, horizon=horizon))
    assert step is not None
    assert after <= step < after + 2 * STEPS_A_SECOND


def test_it_says_why_there_is_no_score_and_calls_nobody() -> None:
    (change,) = changes(rows(episodes=[0.0] * 15), OURS)
    assert change.finding.level is Level.INFO
    assert change.finding.text == "Each agent has played 1,562 steps without an end."
    assert "episodes.none" not in told(rows(episodes=[0.0] * 15), OURS)


def test_it_is_over_with_the_first_end() -> None:
    suite = HealthSuite(OURS)
    for moment in rows(episodes=[0.0] * 20):
        suite.see(moment)
    assert [found.rule.id for found in suite.findings] == ["episodes.none"]
    suite.see(rows(first=20.0, episodes=[1.0])[0])
    assert suite.findings == ()


def test_who_does_not_say_it_is_not_judged() -> None:
    assert since(FACTS) is None, "of runs of older versions the number of agents is not known"
    assert since(OURS, episodes=None) is None
    assert since(OURS, episodes=3.0) is None
