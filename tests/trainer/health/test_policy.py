"""The policy moves too fast, is clipped, stays random, settles too early, leaves actions out."""

from dataclasses import replace

import pytest
from streams import FACTS, changes, noisy, rise, rows, told

from pufftui.trainer.health import Level
from pufftui.trainer.health.policy import (
    CLIP_LIMIT,
    CLIP_SECONDS,
    KL_LIMIT,
    KL_SECONDS,
    RANDOM_PROGRESS,
    RANDOM_SHARE,
    SETTLED_SHARE,
    UNUSED_SECONDS,
)


@pytest.mark.parametrize(
    ("metric", "rule", "limit", "seconds"),
    [
        ("approx_kl", "policy.kl", KL_LIMIT, KL_SECONDS),
        ("clipfrac", "policy.clipped", CLIP_LIMIT, CLIP_SECONDS),
    ],
)
def test_too_much_for_too_long(metric, rule, limit, seconds) -> None:
    usual = [limit / 10] * 20
    above, at = [limit * 1.01] * int(seconds + 2), [limit] * 100
    assert told(rows(**{metric: usual + above})) == [rule]
    assert told(rows(**{metric: usual + at})) == [], "the limit itself is allowed"
    assert told(rows(**{metric: usual + above[: int(seconds) - 1] + usual * 3})) == []


def test_a_finding_has_its_figures() -> None:
    (change,) = changes(rows(approx_kl=[0.01] * 20 + [0.9] * 10))
    finding = change.finding
    assert (finding.since_seconds, finding.value, finding.limit) == (20.0, 0.9, KL_LIMIT)
    assert "0.9" in finding.text
    assert finding.evidence()["metric"] == "approx_kl"


def test_healthy_values_of_muon_are_healthy() -> None:
    kl = abs(noisy([0.05] * 600, 0.03, 0.7))
    assert told(rows(approx_kl=kl, clipfrac=noisy([0.25] * 600, 0.05, 0.7))) == []


def entropies(share: float, seconds: int = 400, score=None) -> list:
    """An entropy that stays at a share of the largest one, beside a score."""
    return rows(entropy=[share] * seconds, score=score or [5.0] * seconds)


def test_a_policy_that_stays_random() -> None:
    assert told(entropies(RANDOM_SHARE + 0.01))[0] == "policy.random"
    assert "policy.random" not in told(entropies(RANDOM_SHARE))
    assert told(entropies(RANDOM_SHARE + 0.01, score=rise(400))) == [], "it learns all the same"
    found = changes(entropies(1.0))[0]
    assert found.seconds == pytest.approx(1000 * RANDOM_PROGRESS, abs=8)


def test_continuous_actions_have_no_largest_entropy() -> None:
    continuous = replace(FACTS, most_entropy=None)
    assert "policy.random" not in told(entropies(3.0), continuous)
    assert "policy.collapse" not in told(entropies(-3.0), continuous)


def test_a_policy_that_settles_before_it_has_learned() -> None:
    assert "policy.collapse" in told(entropies(SETTLED_SHARE / 2, 100))
    assert "policy.collapse" not in told(entropies(SETTLED_SHARE, 100))
    solved = entropies(SETTLED_SHARE / 2, 400, rise(400))
    assert "policy.collapse" not in told(
        [
            *rows(entropy=[0.5] * 300, score=rise(300)),
            *[moment for moment in solved if moment.seconds >= 300],
        ]
    )
    late = rows(first=600.0, entropy=[0.001] * 100, score=[5.0] * 100)
    assert "policy.collapse" not in told(late), "late in a run everything settles"


def test_actions_that_are_never_taken_are_worth_a_word() -> None:
    def used(share: float, seconds: float) -> list[str]:
        looks = [share if second % 4 == 0 else None for second in range(int(seconds))]
        return told(rows(actions_used=looks, sps=[1.0] * len(looks)), least=Level.INFO)

    assert used(0.8, UNUSED_SECONDS + 10) == ["policy.unused"]
    assert used(0.8, UNUSED_SECONDS - 10) == []
    assert used(1.0, UNUSED_SECONDS + 10) == []
    assert told(rows(actions_used=[0.8] * 200)) == []
