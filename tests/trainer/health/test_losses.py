"""Numbers that are none, values that explode or explain nothing, gradients that jump or know no limit."""

import math
from dataclasses import replace

import pytest
from streams import FACTS, changes, noisy, rows, told

from pufftui.trainer.health import Level
from pufftui.trainer.health.losses import (
    BEYOND,
    BEYOND_SECONDS,
    EXPLODED,
    EXPLODED_LEAST,
    EXPLODED_SECONDS,
    SPIKE_FACTOR,
    WORSE_PROGRESS,
    WORSE_SECONDS,
    WORSE_SPREAD,
)


def test_one_gradient_that_is_not_finite_is_critical() -> None:
    (change,) = changes(rows(finite=[1.0, 1.0, 0.99]))
    assert change.finding.rule.id == "numbers.not_finite"
    assert change.finding.level is Level.CRITICAL
    assert change.seconds == 2.0
    assert told(rows(finite=[1.0] * 100)) == []


def test_a_value_loss_that_explodes() -> None:
    usual = EXPLODED_LEAST / 2
    long = int(EXPLODED_SECONDS + 2)
    assert told(rows(value_loss=[usual] * 30 + [usual * EXPLODED * 1.1] * long)) == [
        "values.exploded"
    ]
    assert told(rows(value_loss=[usual] * 30 + [usual * EXPLODED] * 100)) == []
    assert told(rows(value_loss=[1e-6] * 30 + [EXPLODED_LEAST] * 100)) == [], "small is small"
    assert told(rows(value_loss=[usual] * 30 + [usual * EXPLODED * 2] * 3 + [usual] * 30)) == []
    assert told(rows(value_loss=[1000.0] * 10 + [0.5] * 100)) == [], "a beginning may be wild"


def spread_loss(explained: float, spread: float) -> float:
    """The value loss that goes with an explained variance and a spread of the returns."""
    return spread**2 * (1 - explained) / 2


def worse(explained: float, spread: float, seconds: float, first: float = 0.0) -> list[str]:
    count = int(first + seconds)
    loss = spread_loss(explained, spread)
    return told(rows(explained_variance=[explained] * count, value_loss=[loss] * count))


def test_values_that_explain_nothing() -> None:
    begin, wide = 1000 * WORSE_PROGRESS, 2 * WORSE_SPREAD
    assert worse(-0.1, wide, WORSE_SECONDS + 3, begin) == ["values.worthless"]
    assert worse(-0.1, wide, WORSE_SECONDS - 3, begin) == []
    assert worse(0.0, wide, 300, begin) == []
    assert worse(-5.0, WORSE_SPREAD * 0.9, 300, begin) == [], "a solved game"
    assert worse(-0.1, wide, begin - 1) == [], "at first nothing is explained yet"


@pytest.mark.parametrize("together", [0.0, 0.9])
def test_a_gradient_that_jumps_and_stays(together) -> None:
    norms = [math.exp(v) for v in noisy([0.0] * 400, 0.2, together, seed=3)]
    assert told(rows(grad_norm=norms)) == []
    jumped = [*norms, *[2 * SPIKE_FACTOR] * 8]
    assert "gradient.spike" in told(rows(grad_norm=jumped), replace(FACTS, max_gradient_norm=1e9))
    single = [*norms, 2 * SPIKE_FACTOR, *norms]
    assert told(rows(grad_norm=single)) == []


def test_a_gradient_beyond_its_limit() -> None:
    limit = BEYOND * FACTS.max_gradient_norm
    long = int(BEYOND_SECONDS + 2)
    assert told(rows(grad_norm=[limit * 1.01] * long)) == ["gradient.limit"]
    assert told(rows(grad_norm=[limit] * 100)) == []
    assert told(rows(grad_norm=[limit * 2] * long), replace(FACTS, max_gradient_norm=0.0)) == []
