"""The score crashes, stands still, never rises; and healthy scores, however noisy, do none of it."""

from dataclasses import replace

import pytest
from streams import FACTS, changes, noisy, rise, rows, told

from pufftui.trainer.health import HealthSuite, Level, Remedy
from pufftui.trainer.health.score import (
    BELOW,
    DEEP_DROP,
    DROP,
    GENERATIONS,
    NEAR_TOP,
    PLATEAU_SECONDS,
    SENSIBLE_SHARE,
)


def crash(depth: float, count: int = 60) -> list[float]:
    """A score that is learned and then loses a share of what was gained."""
    learned = rise()
    return [*learned, *[learned[-1] * (1 - depth)] * count]


@pytest.mark.parametrize(
    ("depth", "level"),
    [
        (DROP - 0.03, None),
        (DROP + 0.03, Level.WARNING),
        (DEEP_DROP - 0.03, Level.WARNING),
        (DEEP_DROP + 0.03, Level.CRITICAL),
    ],
)
def test_a_drop_counts_from_a_share_of_the_gain_on(depth, level) -> None:
    found = [c.finding for c in changes(rows(score=crash(depth)))]
    worst = max((f.level for f in found if f.rule.id == "score.crash"), default=None)
    assert worst == level


@pytest.mark.parametrize(
    ("depth", "named"),
    [(BELOW - 0.05, False), (BELOW + 0.05, True), (DROP - 0.05, True), (DROP + 0.1, False)],
)
def test_a_score_that_stays_below_its_best_is_named(depth: float, named: bool) -> None:
    found = told(rows(score=crash(depth)), least=Level.INFO)
    assert found.count("score.below_best") == named


def test_a_fall_too_noisy_to_be_a_crash_is_named() -> None:
    """More than half is lost, but by less than a crash's twelve times the scatter."""
    score = noisy(crash(DROP + 0.05, 120), 5.0, 0.0, 1)
    found = told(rows(score=score), least=Level.INFO)
    assert "score.crash" not in found
    assert "score.below_best" in found


def test_a_short_dip_below_the_best_is_nothing_and_a_return_ends_it() -> None:
    assert "score.below_best" not in told(
        rows(score=[*crash(0.3, 10), *rise()[-40:]]), least=Level.INFO
    )
    suite, open_rules = HealthSuite(FACTS), []
    for row in rows(score=[*crash(0.3, 60), *[rise()[-1]] * 60]):
        suite.see(row)
        open_rules.append("score.below_best" in [found.rule.id for found in suite.findings])
    assert any(open_rules)
    assert not open_rules[-1]


@pytest.mark.parametrize("seed", range(8))
def test_a_noisy_score_at_its_best_is_not_below_it(seed: int) -> None:
    score = noisy([*rise(), *[80.0] * 300], 4.0, 0.8, seed)
    assert "score.below_best" not in told(rows(score=score), least=Level.INFO)


def test_a_crash_says_how_far_and_since_when_and_offers_a_way_back() -> None:
    found = [c.finding for c in changes(rows(score=crash(0.6)))]
    (crashed,) = [f for f in found if f.rule.id == "score.crash"]
    assert crashed.remedy is Remedy.ROLL_BACK
    assert 90 <= crashed.since_seconds <= 104
    assert "60% of what was gained is lost" in crashed.text
    assert crashed.value == pytest.approx(32, abs=1)


def test_a_dip_that_passes_is_no_crash() -> None:
    score = [*rise(), *[10.0] * 2, *[80.0] * 60]
    assert "score.crash" not in told(rows(score=score))


def test_a_crash_is_over_when_the_score_comes_back() -> None:
    score = [*crash(0.6, 40), *rise(60)]
    suite_told = told(rows(score=score))
    assert suite_told.count("score.crash") == 1


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("together", [0.0, 0.5, 0.95])
def test_noise_alone_is_no_crash(seed, together) -> None:
    score = noisy([*rise(200), *[80.0] * 2000], 5.0, together, seed)
    assert told(rows(score=score)) == []


@pytest.mark.parametrize("seed", range(5))
def test_a_crash_is_found_in_noise(seed) -> None:
    score = noisy(crash(0.6, 120), 4.0, 0.8, seed)
    assert "score.crash" in told(rows(score=score))


@pytest.mark.parametrize(("generation", "crashes"), [(0, True), (20_000_000, False)])
def test_the_first_who_live_to_the_end_are_no_level_to_fall_from(generation, crashes) -> None:
    score = [*[1.0] * 30, *[80.0] * 8, *[1.0] * 60]
    assert bool(told(rows(score=score, provisional_steps=[generation] * 98))) == crashes


def test_a_score_that_never_rose_cannot_crash() -> None:
    score = noisy([10.0] * 300, 1.0, 0.5)
    assert "score.crash" not in told(rows(score=score))


def flat(seconds: float, **more) -> list:
    """A score that stays where it was, over so much of the run's time."""
    return rows(score=[5.0] * int(seconds), **more)


def test_nothing_is_learned_after_a_sensible_share_of_the_run() -> None:
    sensible = SENSIBLE_SHARE * 1000
    assert told(flat(sensible - 5)) == []
    found = [c for c in changes(flat(sensible + 10)) if c.finding.rule.id == "score.no_learning"]
    assert found[0].seconds == pytest.approx(sensible, abs=4)
    assert told(rows(score=rise(400))) == []


def test_a_little_is_something() -> None:
    score = [5.0] * 50 + [5.0 + 0.05 * row for row in range(500)]
    assert told(rows(score=score)) == []


def test_episodes_must_have_had_the_time_to_end() -> None:
    generation = 200 * 10_000.0
    for seconds, wanted in (
        (GENERATIONS * 200 - 20, []),
        (GENERATIONS * 200 + 20, ["score.no_learning"]),
    ):
        assert told(flat(seconds, provisional_steps=[generation] * seconds)) == wanted


def test_games_that_grow_long_as_they_are_learned_have_held_no_level_yet() -> None:
    """Each episode takes 150 seconds, and the score has been rising for less."""
    score = [5.0] * 400 + [5.0 + 0.3 * row for row in range(140)]
    assert told(rows(score=score, provisional_steps=[150 * 10_000.0] * len(score))) == []


def test_who_begins_at_the_top_has_nothing_to_learn() -> None:
    assert told(rows(score=[95.0] * 600)) == []


def test_without_a_plan_steps_count() -> None:
    endless = replace(FACTS, total_steps=0)
    assert told(flat(480), endless) == []
    assert told(flat(520), endless) == ["score.no_learning"]


def still(seconds: float, level: float = 60.0) -> list:
    """Learned, and then nothing new."""
    return rows(score=[*rise(100, level), *[level] * int(seconds)])


def test_a_plateau_is_worth_a_word_but_no_warning() -> None:
    info = Level.INFO
    assert told(still(PLATEAU_SECONDS - 60), least=info) == []
    assert told(still(PLATEAU_SECONDS + 120), least=info) == ["score.plateau"]
    assert told(still(PLATEAU_SECONDS + 120)) == []


def test_the_top_is_no_plateau() -> None:
    top = 100 * NEAR_TOP
    assert told(still(PLATEAU_SECONDS + 120, top + 1), least=Level.INFO) == []
    assert told(still(PLATEAU_SECONDS + 120, top - 5), least=Level.INFO) == ["score.plateau"]
