"""At the end of a run: a score that stopped getting better early is named, however fast the run was."""

import math
from dataclasses import replace

import numpy as np
import pytest
from streams import noisy

from pufftui.trainer.health import (
    Facts,
    Finding,
    HealthSuite,
    Level,
    Moment,
    check_run,
    stored_facts,
)
from pufftui.trainer.health.course import EARLY_SHARE, LEAST_POINTS, MOST_POINTS, Course
from pufftui.trainer.store import StoreReader, StoreWriter

TOTAL = 80_000_000
FACTS = Facts(total_steps=TOTAL, score_low=0.0, score_high=864.0)
"""Breakout on a GPU."""

TOP_UNKNOWN = replace(FACTS, score_high=None)
SECONDS = 2.5


def stream(scores, seconds=SECONDS, steps=TOTAL, first=0, **values) -> list[Moment]:
    """The scores of a run, spread over its steps and its time; None is a row without one."""
    rows = []
    for row, score in enumerate(scores):
        share = (row + 1) / len(scores)
        known = {} if score is None else {"score": float(score)}
        rows.append(Moment(first + int(share * steps), share * seconds, known | values))
    return rows


def learn(until: float, level: float, count: int = 64, start: float = 2.0) -> list[float]:
    """Rises in a straight line until a share of the run, then stays."""
    return [min(level, start + (level - start) * (row + 1) / count / until) for row in range(count)]


def stuck(count: int = 64, deviation: float = 4.0, seed: int = 0):
    """The run of the issue: 356 by 30 M of 80 M steps, then no more."""
    return noisy(learn(30 / 80, 356.0, count), deviation, 0.5, seed)


def suite_of(moments, facts=FACTS) -> HealthSuite:
    suite = HealthSuite(facts)
    for moment in moments:
        suite.see(moment)
    return suite


def ended(moments, facts=FACTS) -> list[Finding]:
    """What only the end tells."""
    return [change.finding for change in suite_of(moments, facts).end()]


@pytest.mark.parametrize("seed", range(10))
def test_a_run_of_seconds_that_was_stuck_early_is_named_at_its_end(seed) -> None:
    suite = suite_of(stream(stuck(seed=seed)))
    assert suite.findings == ()
    (change,) = suite.end()
    found = change.finding
    assert (found.rule.id, found.level) == ("score.plateau", Level.INFO)
    assert (change.step, change.over) == (TOTAL, False)
    assert 25_000_000 <= found.since_step <= 38_000_000
    assert found.value == pytest.approx(356, abs=8)
    assert f"after step {found.since_step:,} of 80,000,000" in found.text
    assert "of at most 864." in found.text
    assert suite.findings == (found,)
    assert suite.end() == [], "once is enough"


def test_clocks_do_not_matter() -> None:
    of_seconds, of_minutes, of_hours = (
        ended(stream(stuck(), seconds)) for seconds in (0.1, 200.0, 500.0)
    )
    for found in (of_minutes, of_hours):
        assert (found[0].text, found[0].since_step) == (
            of_seconds[0].text,
            of_seconds[0].since_step,
        )


def test_what_was_told_while_it_ran_is_not_told_again() -> None:
    suite = suite_of(stream(stuck(2000), 3 * 3600))
    (told,) = suite.findings
    assert told.rule.id == "score.plateau"
    assert suite.end() == []


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("deviation", [0.0, 5.0, 20.0])
@pytest.mark.parametrize("facts", [FACTS, TOP_UNKNOWN])
def test_a_score_that_still_rises_is_not_named(seed, deviation, facts) -> None:
    for scores in (
        learn(1.0, 500.0),
        [300 * math.log1p(row) / math.log(64) for row in range(64)],
        [400 * (1 - math.exp(-4 * row / 64)) for row in range(64)],
        # It rested for long, and then went on.
        [*learn(1.0, 300.0, 20), *[300.0] * 24, *learn(1.0, 500.0, 20, 300.0)],
    ):
        assert ended(stream(noisy(scores, deviation, 0.5, seed)), facts) == []


@pytest.mark.parametrize("seed", range(10))
def test_a_solved_game_is_not_named(seed) -> None:
    solved = noisy(learn(0.3, 855.0), 4.0, 0.5, seed)
    assert ended(stream(solved)) == []
    assert len(ended(stream(solved), TOP_UNKNOWN)) == 1, "nobody knows that this is the top"
    one_sided = replace(FACTS, score_low=None)
    assert ended(stream(solved), one_sided) == []
    assert len(ended(stream(stuck(seed=seed)), one_sided)) == 1


def fallen(depth: float, lasting: float = 0.4, deviation: float = 0.0, seed: int = 0):
    """The score of a run that learns in half of its steps, and in the end loses a share of that."""
    learned = learn(0.5, 400.0)
    row = round((1 - lasting) * len(learned))
    scores = [*learned[:row], *[400.0 * (1 - depth)] * (len(learned) - row)]
    return noisy(scores, deviation, 0.5, seed) if deviation else scores


@pytest.mark.parametrize("seconds", [0.1, 10.0, 40.0])
@pytest.mark.parametrize(
    ("depth", "lasting", "named"),
    [
        (0.3, 0.4, True),
        (0.2, 0.25, True),
        (0.1, 0.4, False),
        (0.3, 0.08, False),
    ],
)
def test_a_score_that_ended_below_its_best_is_named_however_fast_it_was(
    seconds: float, depth: float, lasting: float, named: bool
) -> None:
    suite = suite_of(stream(fallen(depth, lasting), seconds))
    suite.end()
    rules = [found.rule.id for found in suite.findings]
    assert ("score.below_best" in rules) == named
    if named:
        assert "score.plateau" not in rules
        (found,) = [found for found in suite.findings if found.rule.id == "score.below_best"]
        assert found.level == Level.INFO
        began = (1 - lasting) * TOTAL
        assert -0.05 * TOTAL <= found.since_step - began <= 0.1 * TOTAL


@pytest.mark.parametrize("seed", range(8))
def test_a_fall_has_to_be_more_than_noise(seed: int) -> None:
    named = [found.rule.id for found in ended(stream(fallen(0.2, deviation=80.0, seed=seed)))]
    assert "score.below_best" not in named
    named = [found.rule.id for found in ended(stream(fallen(0.35, deviation=8.0, seed=seed)))]
    assert "score.below_best" in named


@pytest.mark.parametrize("rows", [20, 30, 64, 200])
def test_noise_that_hangs_together_is_no_fall(rows: int) -> None:
    """Of a score that nothing was learned of, and of one that has risen to where it is."""
    for seed in range(20):
        flat = noisy([20.0] * rows, 4.0, 0.95, seed)
        assert "score.below_best" not in [found.rule.id for found in ended(stream(flat))]
        risen = noisy(learn(0.4, 800.0, rows), 40.0, 0.9, seed)
        assert "score.below_best" not in [found.rule.id for found in ended(stream(risen))]


@pytest.mark.parametrize("rows", [20, 64, 200])
@pytest.mark.parametrize("generation", [0.05, 0.1, 0.15])
def test_a_wave_of_games_that_began_together_is_no_best_level(rows: int, generation: float) -> None:
    before, wave = rows // 10, max(rows * 8 // 100, 1)
    scores = [1.0] * before + [700.0] * wave
    scores += list(np.linspace(90, 350, rows - len(scores)))
    moments = stream(scores, provisional_steps=generation * TOTAL)
    assert "score.below_best" not in [found.rule.id for found in ended(moments)]


def test_what_never_learned_has_no_best_to_stay_below() -> None:
    scores = [2.0] * 20 + [3.7] * 40 + [2.0] * 40
    suite = suite_of(stream(scores, 1000.0))
    suite.end()
    assert [found.rule.id for found in suite.findings] == ["score.no_learning"]


def test_a_run_that_lost_its_best_is_named_with_both() -> None:
    scores = [*learn(1.0, 356.0, 24), *np.linspace(356, 250, 40)]
    (found,) = ended(stream(scores))
    assert found.rule.id == "score.below_best"
    assert "It was at 35" in found.text
    assert "it ended at" in found.text
    # So little is nothing but a standstill.
    (found,) = ended(stream([*learn(1.0, 356.0, 24), *np.linspace(356, 310, 40)]))
    assert found.rule.id == "score.plateau"
    assert ", from 35" in found.text
    assert ", from" not in ended(stream(stuck()))[0].text


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("seconds", [SECONDS, 1000.0])
def test_what_never_learned_is_told_once(seed, seconds) -> None:
    suite = suite_of(stream(noisy([5.0] * 500, 0.5, 0.5, seed), seconds))
    told = [*suite.findings, *(change.finding for change in suite.end())]
    (only,) = told
    assert only.rule.id == ("score.plateau" if seconds == SECONDS else "score.no_learning")


def test_what_never_rose_may_be_at_its_top_if_nobody_knows_it() -> None:
    assert ended(stream(noisy([5.0] * 64, 0.5, 0.5)), TOP_UNKNOWN) == []
    (found,) = ended(stream(stuck()), TOP_UNKNOWN)
    assert "at most" not in found.text


@pytest.mark.parametrize("count", [0, 1, 2, 5, LEAST_POINTS - 1])
def test_a_few_epochs_tell_nothing(count) -> None:
    assert ended(stream(learn(0.2, 356.0, count))) == []


def test_a_few_more_do() -> None:
    assert len(ended(stream(learn(0.3, 356.0, LEAST_POINTS)))) == 1


def test_rows_without_a_score_are_left_out() -> None:
    scores = list(stuck(128))
    for row in range(0, 128, 3):
        scores[row] = (math.nan, math.inf, None)[row % 9 // 3]
    (found,) = ended(stream(scores))
    assert 25_000_000 <= found.since_step <= 38_000_000
    assert ended(stream([math.nan] * 64)) == []
    assert ended(stream([None] * 64)) == []
    late = [None] * 45 + [356.0] * 19
    assert ended(stream(late)) == [], "the first episodes ended when most of the run was over"


def test_an_endless_run_counts_up_to_where_it_was_stopped() -> None:
    endless = replace(FACTS, total_steps=10**12)
    (found,) = ended(stream(stuck()), endless)
    assert "of 80,000,000" in found.text


def test_a_resumed_run_is_judged_with_its_past() -> None:
    first, more = stream(stuck()), stream([356.0] * 32, first=TOTAL, steps=TOTAL // 2)
    suite = suite_of(first)
    suite.forget_findings()
    for moment in more:
        suite.see(moment)
    (change,) = suite.end()
    assert change.finding.since_step < 36_000_000
    assert "of 120,000,000" in change.finding.text
    better = stream(learn(1.0, 600.0, 32, 356.0), first=TOTAL, steps=TOTAL // 2)
    assert ended([*first, *better]) == []


def test_a_past_that_is_not_known_is_no_standstill() -> None:
    rest = stream([356.0] * 64, first=TOTAL * 10)
    assert ended(rest) == []


def test_games_must_have_had_the_time_to_end() -> None:
    for generation, count in ((40_000_000, 1), (60_000_000, 0)):
        assert len(ended(stream(stuck(), provisional_steps=generation))) == count


@pytest.mark.parametrize(("share", "named"), [(EARLY_SHARE - 0.1, True), (0.7, False)])
def test_early_is_a_share_of_the_steps(share, named) -> None:
    assert bool(ended(stream(noisy(learn(share, 356.0), 2.0, 0.5)))) == named


def test_long_runs_are_remembered_in_few_points() -> None:
    course = Course()
    for moment in stream(stuck(50_000), 50_000.0):
        course.see(moment.values["score"], moment)
    assert len(course._points) < MOST_POINTS
    still = course.standstill(864.0)
    assert still is not None
    assert 25_000_000 <= still.since.step <= 36_000_000


@pytest.mark.parametrize(
    ("events", "named"),
    [(["start", "stop"], True), (["start", "stop", "start"], False), ([], False)],
)
def test_a_stored_run_is_judged_as_a_whole_once_it_has_ended(tmp_path, events, named) -> None:
    store = StoreWriter(tmp_path / "run.db")
    store.fact("health", FACTS.as_dict())
    for moment in stream(stuck()):
        store.metrics(moment.step, moment.seconds, 0, moment.values)
    for kind in events:
        store.event(TOTAL, SECONDS, kind, "")
    store.close()
    reader = StoreReader(tmp_path / "run.db")
    told = check_run(reader, stored_facts(reader))
    reader.close()
    assert [one.finding.rule.id for one in told] == ["score.plateau"] * named
