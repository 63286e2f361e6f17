"""Rewards that teach nothing and observations that show nothing."""

from dataclasses import replace

import pytest
from streams import FACTS, changes, rows, told

from pufftui.trainer.health import HealthSuite, Level
from pufftui.trainer.health.rewards import (
    ACCEPTED_SMALL,
    CLAMPED,
    CLAMPED_SECONDS,
    NONE_SECONDS,
    NONE_SHARE,
    SMALL,
    SMALL_SECONDS,
)
from pufftui.trainer.health.spell import SHORT_LOOKS


def small(size: float, given: float = 0.001, facts=FACTS, seconds: float = 20) -> list[str]:
    count = int(seconds)
    return told(rows(reward_size=[size] * count, reward_nonzero=[given] * count), facts)


def test_rewards_too_small_to_learn_from() -> None:
    assert small(SMALL * 0.99) == ["rewards.small"]
    assert small(SMALL) == []
    assert small(SMALL * 0.5, seconds=SMALL_SECONDS - 1) == []
    assert small(0.0) == [], "that is another rule"


def test_many_small_rewards_add_up() -> None:
    # gamma 0.99 reaches a hundred steps far.
    assert small(0.002, given=1.0) == []
    assert small(0.0009, given=1.0) == ["rewards.small"]
    assert small(0.002, given=1.0, facts=replace(FACTS, gamma=0.9)) == ["rewards.small"]


def test_an_author_may_accept_small_rewards_within_reason() -> None:
    accepted = replace(FACTS, accepted=("reward_small",))
    assert small(ACCEPTED_SMALL * 2, facts=accepted) == []
    assert small(ACCEPTED_SMALL / 2, facts=accepted) == ["rewards.small"]


def clamped(share: float, facts=FACTS, seconds: float = 20) -> list[str]:
    count, given = int(seconds), 0.05
    columns = {"reward_nonzero": [given] * count, "clamped_rewards": [share * given] * count}
    return told(rows(**columns), facts)


def test_rewards_that_are_clipped() -> None:
    assert clamped(CLAMPED * 1.01) == ["rewards.clamped"]
    assert clamped(CLAMPED * 0.99) == []
    assert clamped(1.0, seconds=CLAMPED_SECONDS - 1) == []
    assert clamped(1.0, replace(FACTS, accepted=("reward_clamped",))) == []


def at_the_end(good: int, bad: int, last: int = 0) -> list[str]:
    """What the end of a run of so many rows of a twentieth of a second tells beside what was told before."""
    sizes = [*[1.0] * good, *[SMALL / 2] * bad, *[1.0] * last]
    moments = rows(every=0.05, reward_size=sizes, reward_nonzero=[0.001] * len(sizes))
    assert told(moments) == []
    suite = HealthSuite(FACTS)
    for moment in moments:
        suite.see(moment)
    return [change.finding.rule.id for change in suite.end()]


def test_of_a_run_that_was_over_sooner_half_is_enough() -> None:
    assert at_the_end(0, 40) == at_the_end(19, 21) == ["rewards.small"]
    assert at_the_end(24, 16) == []
    assert at_the_end(0, 39, 1) == []
    assert at_the_end(0, SHORT_LOOKS) == ["rewards.small"]
    assert at_the_end(0, SHORT_LOOKS - 1) == []


def test_a_run_that_was_long_enough_is_judged_by_its_seconds() -> None:
    assert at_the_end(200, 60) == []
    assert at_the_end(0, int(SMALL_SECONDS / 0.05) - 1) == ["rewards.small"]


def test_seconds_before_there_was_anything_to_judge_count() -> None:
    """The first reward came late in a run that was long enough, and was clipped."""
    moments = [
        *rows(reward_nonzero=[0.0] * 57, clamped_rewards=[0.0] * 57),
        *rows(57.0, 0.05, reward_nonzero=[0.05] * 40, clamped_rewards=[0.04] * 40),
    ]
    suite = HealthSuite(replace(FACTS, total_steps=10**9))
    for moment in moments:
        assert suite.see(moment) == []
    assert suite.end() == []


def test_a_first_reward_however_late_is_one() -> None:
    """A fifth of the plan is over a moment after it came."""
    facts = replace(FACTS, total_steps=300_000)
    given = [*[0.0] * 23, *[0.01] * 60]
    assert told(rows(every=0.25, reward_nonzero=given), facts) == []
    never = told(rows(every=0.25, reward_nonzero=[0.0] * 83), facts)
    assert never == ["rewards.none"]


@pytest.mark.parametrize(
    ("rule", "columns"),
    [
        ("rewards.clamped", {"reward_nonzero": 0.05, "clamped_rewards": 0.04}),
        ("rewards.none", {"reward_nonzero": 0.0}),
        ("policy.kl", {"approx_kl": 1.0}),
        ("policy.clipped", {"clipfrac": 0.9}),
        ("policy.random", {"entropy": 0.999}),
        ("gradient.limit", {"grad_norm": 100.0}),
    ],
)
def test_so_is_everything_that_must_last(rule: str, columns: dict[str, float]) -> None:
    suite = HealthSuite(replace(FACTS, total_steps=20_000))
    for moment in rows(every=0.05, **{name: [value] * 40 for name, value in columns.items()}):
        assert suite.see(moment) == []
    (change,) = suite.end()
    assert (change.finding.rule.id, change.finding.level) == (rule, Level.WARNING)
    assert change.finding.text


def test_numbers_of_the_environment_that_are_not_finite() -> None:
    assert told(rows(broken_figures=[0.0, 0.25, 0.0])) == ["rewards.not_finite"]
    assert told(rows(broken_figures=[0.0, 0.0])) == []


def test_no_reward_ever() -> None:
    long = int(1000 * NONE_SHARE)
    assert told(rows(reward_nonzero=[0.0] * (long - 2))) == []
    assert told(rows(reward_nonzero=[0.0] * (long + 2))) == ["rewards.none"]
    assert told(rows(reward_nonzero=[0.0] * 10 + [1e-6] + [0.0] * long)) == []
    endless = replace(FACTS, total_steps=0)
    assert told(rows(reward_nonzero=[0.0] * 199), endless) == []
    assert told(rows(reward_nonzero=[0.0] * 203), endless) == ["rewards.none"]
    quick = replace(FACTS, total_steps=20_000)
    assert told(rows(reward_nonzero=[0.0] * int(NONE_SECONDS)), quick) == [], "give it seconds"


def test_a_reward_ends_the_finding() -> None:
    found = changes(rows(reward_nonzero=[0.0] * 300))
    assert found[0].finding.rule.id == "rewards.none"
    assert told(rows(reward_nonzero=[0.0] * 300 + [0.1] * 5)) == ["rewards.none"]


@pytest.mark.parametrize(
    ("looks", "wanted"),
    [([0.5, 0.0], []), ([0.5, 0.0, 0.0], ["observations.frozen"]), ([0.0, 0.5, 0.0], [])],
)
def test_observations_that_never_change_are_critical(looks, wanted) -> None:
    columns = {"observation_change": [v for look in looks for v in (look, None, None)]}
    columns["sps"] = [1.0] * (3 * len(looks))
    assert told(rows(**columns), least=Level.CRITICAL) == wanted
