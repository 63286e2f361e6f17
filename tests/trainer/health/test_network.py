"""Weights that grow, units that die, features that become one, minibatches that do not fit."""

from dataclasses import replace

import numpy as np
import pytest
from streams import FACTS, changes, rise, rows, told

from pufftui.trainer.health import Level
from pufftui.trainer.health.network import (
    BATCH_SECONDS,
    DEAD,
    DEAD_SECONDS,
    GROWTH,
    POOR,
    POOR_SECONDS,
    TOO_LARGE,
    TOO_SMALL,
)


def grown(factor: float, score) -> list[str]:
    """Weights that grow by a factor within ten seconds, late in a run."""
    norm = [10.0] * 200 + [10.0 * factor ** (min(second, 10) / 10) for second in range(60)]
    return told(rows(weight_norm=norm, score=score))


def test_weights_that_grow_while_the_score_does_not() -> None:
    flat = [5.0] * 260
    assert "weights.growing" in grown(GROWTH * 1.05, flat)
    assert "weights.growing" not in grown(GROWTH * 0.95, flat)
    fell = [*rise(200), *[40.0] * 60]
    assert "weights.growing" in grown(GROWTH * 2, fell)
    assert "weights.growing" not in grown(GROWTH * 2, rise(260, 200.0))


def test_weights_grow_quickly_at_first_and_slowly_for_ever() -> None:
    norm = [10 * np.sqrt(1 + second) for second in range(800)]
    assert told(rows(weight_norm=norm, score=rise(800))) == []


def looked(metric: str, values, every: int = 3, score=None) -> list:
    """A metric that only some rows have."""
    columns = {metric: [v for value in values for v in (value, *[None] * (every - 1))]}
    count = len(columns[metric])
    return rows(**columns, score=score or [5.0] * count)


def test_a_network_that_is_mostly_dead() -> None:
    long = int(DEAD_SECONDS / 3 + 3)
    assert "network.dead" in told(looked("dead_units", [DEAD + 0.01] * long))
    assert "network.dead" not in told(looked("dead_units", [DEAD] * 50))
    assert "network.dead" not in told(looked("dead_units", [1.0] * 3 + [0.1] * 20))


def test_features_that_collapse() -> None:
    long = int(POOR_SECONDS / 3 + 3)
    assert "network.rank" in told(looked("feature_rank", [0.5] * 5 + [POOR * 0.9] * long))
    assert "network.rank" not in told(looked("feature_rank", [0.5] * 5 + [POOR] * 50))
    assert "network.rank" not in told(looked("feature_rank", [POOR * 0.9] * 50)), (
        "it was never more"
    )


def batches(ratio: float, seconds: float) -> list:
    """A gradient whose noise scale is so many times the minibatch."""
    count = int(seconds)
    noise = ratio * FACTS.minibatch
    return rows(gradient_signal=[1.0] * count, gradient_noise=[noise] * count)


@pytest.mark.parametrize(
    ("ratio", "words"), [(TOO_SMALL * 1.1, "mostly noise"), (TOO_LARGE * 0.9, "A smaller one")]
)
def test_a_minibatch_that_does_not_fit_is_worth_a_word(ratio, words) -> None:
    found = changes(batches(ratio, BATCH_SECONDS + 60))
    assert [c.finding.rule.id for c in found] == ["batch.size"]
    assert found[0].finding.level is Level.INFO
    assert words in found[0].finding.text


@pytest.mark.parametrize("ratio", [TOO_SMALL * 0.95, 1.0, TOO_LARGE * 1.05])
def test_a_minibatch_that_fits(ratio) -> None:
    assert changes(batches(ratio, 300)) == []
    assert changes(batches(TOO_SMALL * 2, 300)) != []
    assert told(batches(1e9, 300), replace(FACTS, minibatch=0), Level.INFO) == []
