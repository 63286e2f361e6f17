"""All detectors together: what opens, grows worse, is over, and how often one is told."""

import dataclasses
import gc

import pytest
from streams import FACTS, changes, rise, rows, told

from pufftui.trainer.health import RULES, Facts, HealthSuite, Level, Moment, check_run, stored_facts
from pufftui.trainer.health.suite import AGAIN_SECONDS
from pufftui.trainer.store import StoreReader, StoreWriter

SMALL, FINE = 0.01, 0.5


def rewards(*stretches: tuple[float, int]) -> list:
    sizes = [size for size, seconds in stretches for _ in range(seconds)]
    return rows(reward_size=sizes)


def test_every_rule_says_what_it_is_and_what_to_do() -> None:
    for name, rule in RULES.items():
        assert name == rule.id
        assert rule.title[0].isupper()
        assert not rule.title.endswith(".")
        assert rule.meaning.endswith(".")
        assert rule.source
        assert rule.advice or name == "batch.size"
        assert rule.metric
    assert len(RULES) == len({rule.title for rule in RULES.values()})


def test_a_finding_opens_once_and_is_over_once() -> None:
    suite, told = HealthSuite(FACTS), []
    for moment in rewards((SMALL, 60), (FINE, 60)):
        told += suite.see(moment)
    assert [(change.over, change.finding.rule.id) for change in told] == [
        (False, "rewards.small"),
        (True, "rewards.small"),
    ]
    assert suite.findings == ()


def test_what_comes_and_goes_is_not_told_again_and_again() -> None:
    flapping = [(SMALL, 10), (FINE, 10)] * 5
    assert told(rewards(*flapping)) == ["rewards.small"]
    assert told(rewards((SMALL, 10), (FINE, int(AGAIN_SECONDS) + 20), (SMALL, 10))) == [
        "rewards.small",
        "rewards.small",
    ]


def test_what_grows_worse_is_told_at_once() -> None:
    score = [*rise(), *[40.0] * 30, *[5.0] * 60]
    found = [c.finding for c in changes(rows(score=score))]
    levels = [f.level for f in found if f.rule.id == "score.crash"]
    assert levels == [Level.WARNING, Level.CRITICAL]


def test_the_worst_comes_first() -> None:
    suite = HealthSuite(FACTS)
    for moment in rows(reward_size=[SMALL] * 30, finite=[1.0] * 29 + [0.5]):
        suite.see(moment)
    assert [finding.rule.id for finding in suite.findings] == [
        "numbers.not_finite",
        "rewards.small",
    ]


def test_rows_without_anything_are_no_trouble() -> None:
    assert changes(rows(first=0.0, unknown=[1.0] * 50), Facts()) == []


def test_facts_survive_the_store_and_newer_versions() -> None:
    facts = Facts(total_steps=5, score_high=1.0, accepted=("reward_small",))
    stored = facts.as_dict()
    assert Facts.from_dict(stored) == facts
    assert Facts.from_dict({**stored, "from_the_future": 1}) == facts
    del stored["gamma"]
    assert Facts.from_dict(stored) == dataclasses.replace(facts, gamma=Facts().gamma)


@pytest.fixture
def stored(tmp_path):
    """A run with small rewards for a minute, in a store."""
    store = StoreWriter(tmp_path / "run.db")
    store.fact("health", FACTS.as_dict())
    for moment in rewards((SMALL, 60), (FINE, 60)):
        store.metrics(moment.step, moment.seconds, 0, moment.values)
    store.close()
    reader = StoreReader(tmp_path / "run.db")
    yield reader
    reader.close()


def test_a_stored_run_is_checked_as_it_would_have_been_live(stored) -> None:
    (one,) = check_run(stored, stored_facts(stored))
    assert one.finding.rule.id == "rewards.small"
    assert one.step < 100_000
    assert 600_000 <= one.over_step <= 700_000


def test_an_empty_store_and_a_strangers_have_nothing_to_check(tmp_path) -> None:
    StoreWriter(tmp_path / "run.db").close()
    reader = StoreReader(tmp_path / "run.db")
    assert stored_facts(reader) is None
    assert check_run(reader, Facts()) == []
    reader.close()


def test_what_is_remembered_of_a_day_is_small() -> None:
    """Detectors remember where things were, not the rows: there are 86,400 of those in a day."""
    suite = HealthSuite(FACTS)
    for moment in rows(score=rise(2000), weight_norm=[1.0] * 2000, sps=[1e6] * 2000):
        suite.see(moment)
    gc.collect()
    assert sum(type(thing) is Moment and bool(thing.values) for thing in gc.get_objects()) < 50
