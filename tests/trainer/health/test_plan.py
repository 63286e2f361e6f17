"""A plan that leaves too few gradient steps is named at its start, and no other is."""

from dataclasses import replace

import pytest
from streams import FACTS, changes, rows, told

from pufftui.trainer.health import Level
from pufftui.trainer.health.plan import FEW


@pytest.mark.parametrize(("steps", "named"), [(FEW - 20, True), (FEW + 20, False)])
def test_few_gradient_steps_are_named_at_once(steps: int, named: bool) -> None:
    facts = replace(FACTS, total_steps=steps * 1000, minibatch=2000, replay_ratio=2.0)
    found = told(rows(score=[1.0]), facts, least=Level.INFO)
    assert ("plan.few_gradient_steps" in found) == named


def test_it_says_how_many() -> None:
    facts = replace(FACTS, total_steps=3_000_000, minibatch=16384, replay_ratio=1.0)
    (change,) = changes(rows(score=[1.0]), facts)
    assert change.finding.text == "183 gradient steps in all."


@pytest.mark.parametrize("unknown", [{"total_steps": 0}, {"minibatch": 0}, {"replay_ratio": 0.0}])
def test_what_nobody_said_is_not_judged(unknown: dict[str, float]) -> None:
    facts = replace(
        FACTS, **{"total_steps": 1000, "minibatch": 2000, "replay_ratio": 1.0} | unknown
    )
    assert "plan.few_gradient_steps" not in told(rows(score=[1.0]), facts, least=Level.INFO)
