"""What a row of float32 cannot hold: large numbers, values that are no numbers, and what was last."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pufftui.trainer.store import StoreReader, StoreWriter


def written(folder: Path, rows: list[dict[str, float]]) -> StoreReader:
    writer = StoreWriter(folder / "run.db")
    for step, row in enumerate(rows):
        writer.metrics(step, float(step), step, row)
    writer.close()
    assert not writer.shortfall
    return StoreReader(folder / "run.db")


def test_counters_keep_their_last_digit(tmp_path: Path) -> None:
    numbers = [123_456_789.0, 2.0**53 - 1, -16_777_217.0, 1_764_279_999.625, 0.1, 5.0]
    reader = written(tmp_path, [{"count": number, "loss": 0.1} for number in numbers])
    values = reader.metrics_after(0).values
    assert values["count"].tolist() == [*numbers[:4], float(np.float32(0.1)), 5.0]
    assert values["loss"].dtype == np.float32
    assert reader.metrics_after(2).values["count"].tolist()[:2] == numbers[2:4]
    assert reader.newest_values() == {"count": 5.0, "loss": float(np.float32(0.1))}


def test_a_value_that_is_no_number_is_remembered_until_it_is_one(tmp_path: Path) -> None:
    rows = [{"a": 1.0, "b": math.inf, "c": 1e300}, {"a": math.nan}, {"a": -math.inf, "b": 2.0}]
    reader = written(tmp_path, rows)
    found = reader.not_finite()
    assert {name: odd.words for name, odd in found.items()} == {
        "a": "not a number since step 1",
        "c": "too large since step 0",
    }
    known = reader.metrics_after(0).values["a"].tolist()
    assert known[0] == 1.0
    assert np.isnan(known[1:]).all()


def test_it_stays_so_when_the_file_is_opened_again(tmp_path: Path) -> None:
    reader = written(tmp_path, [{"a": 1.0}, {"a": math.nan}])
    again = StoreWriter(tmp_path / "run.db", from_step=1)
    again.metrics(2, 2.0, 2, {"b": 1.0})
    again.flush()
    assert reader.not_finite()["a"].step == 1
    again.metrics(3, 3.0, 3, {"a": 1.0})
    again.close()
    assert reader.not_finite() == {}


def test_a_run_that_goes_back_forgets_what_was_so_only_later(tmp_path: Path) -> None:
    writer = StoreWriter(tmp_path / "run.db")
    for step, value in ((0, 1.0), (10, math.nan)):
        writer.metrics(step, 0.0, 0, {"a": value})
    writer.roll_back(5)
    writer.close()
    assert StoreReader(tmp_path / "run.db").not_finite() == {}


@settings(max_examples=20)
@given(st.data())
def test_the_last_value_of_every_metric_is_found_however_long_ago(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    count = data.draw(st.sampled_from([3, 70, 1100, 5000]))
    given = data.draw(st.dictionaries(st.integers(0, count - 1), st.integers(0, 9), max_size=12))
    rows: list[dict[str, float]] = [{"always": step / 4} for step in range(count)]
    expected = {"always": (count - 1) / 4}
    for step, metric in sorted(given.items()):
        rows[step][f"m{metric}"] = step + 0.5
        expected[f"m{metric}"] = step + 0.5
    reader = written(tmp_path_factory.mktemp("store"), rows)
    assert reader.newest_values() == expected
