"""Interquartile means, bands and groups against slow and plain references."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pufftui.runs.groups import all_together, differences, each_alone, group_by_seed
from pufftui.runs.summary import RunSummary
from pufftui.series.aggregate import confidence_band, interquartile_mean

NUMBERS = st.floats(-1e6, 1e6, width=32)
TABLES = st.tuples(st.integers(1, 12), st.integers(1, 4)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=NUMBERS)
)


def slow_mean(values: list[float]) -> float:
    """scipy.stats.trim_mean(values, 0.25), which is how rliable defines it."""
    out = int(0.25 * len(values))
    middle = sorted(values)[out : len(values) - out]
    return math.fsum(middle) / len(middle)


@settings(deadline=None)
@given(TABLES)
def test_the_interquartile_mean_is_the_mean_of_the_middle_half(table: np.ndarray) -> None:
    expected = [slow_mean(column.tolist()) for column in table.T]
    np.testing.assert_allclose(interquartile_mean(table), expected, rtol=1e-9, atol=1e-6)


@settings(deadline=None)
@given(TABLES, st.randoms())
def test_the_order_of_runs_does_not_matter(table: np.ndarray, order: random.Random) -> None:
    rows = list(table)
    order.shuffle(rows)
    np.testing.assert_allclose(interquartile_mean(np.array(rows)), interquartile_mean(table))


def test_one_outlier_of_four_does_not_count() -> None:
    assert interquartile_mean(np.array([1.0, 2.0, 3.0, 1e9])) == 2.5
    assert interquartile_mean(np.array([1.0, 2.0, 6.0])) == 3.0
    assert np.isnan(interquartile_mean(np.array([1.0, 2.0, 3.0, np.nan])))


def slow_band(strata: list[list[float]], resamples: int) -> tuple[float, float]:
    """One resample at a time, and percentiles by counting."""
    dice = random.Random(7)
    means = sorted(
        slow_mean([dice.choice(rows) for rows in strata for _ in rows]) for _ in range(resamples)
    )

    def percentile(share: float) -> float:
        place = share * (len(means) - 1)
        low = math.floor(place)
        high = min(low + 1, len(means) - 1)
        return means[low] + (place - low) * (means[high] - means[low])

    return percentile(0.025), percentile(0.975)


@pytest.mark.parametrize("sizes", [(3,), (5,), (10,), (4, 6), (1, 5)])
def test_the_band_is_that_of_a_plain_bootstrap(sizes: tuple[int, ...]) -> None:
    noise = np.random.default_rng(3)
    strata = [noise.normal(10 * at, 1, (size, 1)) for at, size in enumerate(sizes)]
    band = confidence_band(strata, resamples=4000)
    assert band is not None
    low, high = slow_band([rows[:, 0].tolist() for rows in strata], 4000)
    width = high - low
    assert band[0][0] == pytest.approx(low, abs=0.08 * width)
    assert band[1][0] == pytest.approx(high, abs=0.08 * width)


@settings(max_examples=30)
@given(arrays(np.float64, (5, 3), elements=NUMBERS))
def test_the_band_lies_within_the_runs_and_is_the_same_every_time(table: np.ndarray) -> None:
    band = confidence_band([table], resamples=200)
    again = confidence_band([table], resamples=200)
    assert band is not None
    assert again is not None
    low, high = band
    assert (low <= high).all()
    slack = 1e-9 * np.abs(table).max() + 1e-9
    assert (low >= table.min(axis=0) - slack).all()
    assert (high <= table.max(axis=0) + slack).all()
    np.testing.assert_array_equal(band, again)


def test_points_are_drawn_together_whatever_the_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    table = np.random.default_rng(0).normal(size=(6, 50))
    whole = confidence_band([table], resamples=100)
    monkeypatch.setattr("pufftui.series.aggregate.MOST_AT_ONCE", 1)
    np.testing.assert_array_equal(whole, confidence_band([table], resamples=100))


def test_one_run_has_no_band() -> None:
    assert confidence_band([np.ones((1, 5))]) is None
    assert confidence_band([np.ones((1, 5)), np.ones((1, 5))]) is None
    assert confidence_band([]) is None


def test_nineteen_of_twenty_bands_hold_the_truth() -> None:
    noise = np.random.default_rng(1)
    held = 0
    for _ in range(200):
        band = confidence_band([noise.normal(5, 2, (20, 1))], resamples=300)
        assert band is not None
        held += band[0][0] <= 5 <= band[1][0]
    assert 175 <= held <= 199


def run(name: str, seed: int = 0, env: str = "squared", **settings: object) -> RunSummary:
    own = {"environment": env, "run.name": name, "run.seed": seed, "train.gamma": 0.9, **settings}
    return RunSummary(name, env=env, settings=own)


def test_runs_that_differ_in_their_seed_alone_are_one_curve() -> None:
    runs = [run("a", 1), run("b", 1, **{"train.gamma": 0.5}), run("c", 2), run("d", 3)]
    groups = group_by_seed(runs)
    assert [[one.name for one in group.runs] for group in groups] == [["a", "c", "d"], ["b"]]
    assert groups[0].caution.startswith("n=3: wide")
    assert groups[1].caution == ""
    assert differences(groups) == {"train.gamma": [0.9, 0.5]}
    assert differences(each_alone(runs)) == {
        "train.gamma": [0.9, 0.5, 0.9, 0.9],
        "run.seed": [1, 1, 2, 3],
    }


def test_what_does_not_influence_learning_does_not_part_runs() -> None:
    runs = [run("a", 1, **{"vec.threads": 1}), run("b", 2, **{"vec.threads": 2})]
    assert len(group_by_seed(runs)) == 1


def test_a_group_is_honest_about_its_seeds() -> None:
    assert "n=2, but a seed occurs twice" in group_by_seed([run("a", 1), run("b", 1)])[0].caution
    assert group_by_seed([run(str(seed), seed) for seed in range(5)])[0].caution == "n=5"
    together = all_together([run("a", 1), run("b", 1, env="pong")])[0]
    assert together.caution.startswith("n=2: wide")
    assert differences([together])["environment"] == [["squared", "pong"]]


def test_runs_without_settings_stay_apart() -> None:
    bare = [replace(run("a"), settings={}), replace(run("b"), settings={})]
    assert len(group_by_seed(bare)) == 2
    assert differences(group_by_seed(bare)) == {}


def test_a_setting_that_one_run_lacks_is_a_difference() -> None:
    groups = each_alone([run("a"), run("b", **{"env.size": 3})])
    assert differences(groups) == {"env.size": [None, 3]}
