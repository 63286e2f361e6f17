from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pufftui.charts import raster
from pufftui.series import curve as series
from pufftui.series import history as history_module
from pufftui.series.axis import Axis
from pufftui.series.curve import Metric, Series
from pufftui.series.history import History
from pufftui.trainer.store import StoreReader, StoreWriter


class Run:
    """A store that a test writes to, and the history that follows it."""

    def __init__(self, folder: Path) -> None:
        self.store = StoreWriter(folder / "run.db")
        self.reader = StoreReader(folder / "run.db")
        self.history = History()

    def write(self, steps: Iterable[int], **values: Iterable[float]) -> bool:
        """Whether the history saw that something was new."""
        for step, *row in zip(steps, *values.values(), strict=True):
            self.store.metrics(step, 0.0, 0, dict(zip(values, row, strict=True)))
        self.store.flush()
        return self.history.poll(self.reader)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    run = Run(tmp_path)
    yield run
    run.reader.close()
    run.store.close()


def test_rows_are_taken_in_as_they_come(run: Run) -> None:
    history = run.history
    assert not history.poll(run.reader)
    assert history.end == 0
    assert history.series("score").empty
    assert run.write([10, 20], score=[1.0, 2.0])
    assert run.write([30], score=[3.0], sps=[7.0])
    assert history.steps.tolist() == [10, 20, 30]
    assert history.series("score").low.tolist() == [1, 2, 3]
    assert history.series("sps").count.tolist() == [0, 0, 1]
    run.write([40], sps=[8.0])
    assert history.series("score").count.tolist() == [1, 1, 1, 0]
    assert history.end == 40


def test_rows_of_one_step_are_all_kept(run: Run) -> None:
    run.write([10], score=[1.0])
    run.write([10, 20], sps=[5.0, 6.0])
    run.write([20], score=[2.0])
    assert run.history.steps.tolist() == [10, 10, 20, 20]
    assert run.history.series("score").count.tolist() == [1, 0, 0, 1]


@pytest.mark.parametrize("back", [10, 15, 20, 35])
def test_a_roll_back_leaves_out_what_was_abandoned(run: Run, back: int) -> None:
    run.write([10, 20], score=[1.0, 2.0])
    run.write([30, 40], score=[3.0, 4.0])
    run.write([50, back, 60], score=[5.0, 6.0, 7.0])
    kept = [step for step in [10, 20, 30, 40] if step < back]
    assert run.history.steps.tolist() == [*kept, back, 60]
    assert run.history.series("score").low.tolist() == [*(step / 10 for step in kept), 6, 7]
    # What was left is kept apart.
    (left,) = run.history.abandoned("score", Axis.STEPS)
    gone = [step for step in [10, 20, 30, 40, 50] if step >= back]
    assert left.x.tolist() == gone
    assert left.high.tolist() == [step / 10 for step in gone]
    assert run.history.abandoned("sps", Axis.TIME) == []
    # The same within one reading, as when a finished run is opened.
    again = History()
    again.poll(run.reader)
    assert again.steps.tolist() == run.history.steps.tolist()
    assert again.series("score").low.tolist() == run.history.series("score").low.tolist()


def test_a_resumed_run_leaves_out_what_lies_after_its_checkpoint(tmp_path: Path) -> None:
    """The first row of the new process comes long after the step that it goes on from."""
    database = tmp_path / "run.db"
    history, reader = History(), StoreReader(database)
    with_rows(database, 0, [100, 200, 300])
    history.poll(reader)
    with_rows(database, 200, [450, 650])
    history.poll(reader)
    again = History()
    again.poll(reader)
    assert history.steps.tolist() == again.steps.tolist() == [100, 200, 450, 650]
    for one in (history, again):
        (left,) = one.abandoned("score", Axis.TIME)
        assert left.x.tolist() == [30]
    reader.close()


def test_the_newest_three_that_were_left_are_kept_apart(tmp_path: Path) -> None:
    database = tmp_path / "run.db"
    with_rows(database, 0, [100, 200, 300])
    for _ in range(3):
        with_rows(database, 200, [210, 220])
    with_rows(database, 300, [])  # resumed and stopped at once: nothing is lost
    with_rows(database, 150, [160, 170])
    history, reader = History(), StoreReader(database)
    history.poll(reader)
    reader.close()
    assert history.steps.tolist() == [100, 160, 170]
    left = history.abandoned("score", Axis.STEPS)
    assert [series.x.tolist() for series in left] == [[210, 220]] * 3


def with_rows(database: Path, from_step: int, steps: list[int]) -> None:
    store = StoreWriter(database, from_step=from_step)
    for step in steps:
        store.metrics(step, step / 10, step, {"score": step / 10})
    store.close()


def test_a_long_run_opens_in_blocks_and_goes_on_row_by_row(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_module, "LONG", 50)
    values = np.sin(np.arange(1000) / 99)
    run.write(range(1000), score=values)
    run.write(range(1000, 1100), score=np.full(100, 9.0))
    history = run.history
    assert len(history.steps) < 50 + 64 + 100
    score = history.series("score")
    assert score.count.sum() == 1100
    assert score.total.sum() == pytest.approx(values.sum() + 900, abs=1e-3)
    assert np.nanmin(score.low) == np.float32(values.min())
    assert (history.steps[-1], history.end) == (1099, 1099)
    assert history.series("unknown").empty


def test_a_run_that_is_watched_for_days_is_kept_in_blocks(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_module, "LONG", 50)
    monkeypatch.setattr(history_module, "MOST_ROWS", 100)
    values = np.sin(np.arange(1000) / 99)
    for first in range(0, 1000, 20):
        run.write(range(first, first + 20), score=values[first : first + 20])
        score = run.history.series("score")
        assert len(score) < 50 + 64 + 100
        assert score.count.sum() == first + 20
        assert score.total.sum() == pytest.approx(values[: first + 20].sum(), abs=1e-3)
        assert run.history.end == first + 19


@settings(max_examples=20)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=20))
def test_blocks_sum_up_exactly_what_they_hold(sizes: list[int]) -> None:
    random = np.random.default_rng(len(sizes))
    metric, parts = Metric(), [np.full(3, np.nan, np.float32)]
    metric.append(parts[0])
    for size in sizes:
        part = random.normal(size=size).astype(np.float32)
        part[random.random(size) < 0.1] = np.nan
        metric.append(part)
        parts.append(part)
    more = random.normal(size=100).astype(np.float32)
    metric.append(more)
    values = np.concatenate([*parts, more])
    x = np.arange(len(values), dtype=np.float64)
    long = series.LONG
    try:
        series.LONG = 1
        short = metric.series(x)
    finally:
        series.LONG = long
    assert len(short) < len(values) // 64 + 64
    assert short.count.sum() == np.count_nonzero(~np.isnan(values))
    assert short.total.sum() == pytest.approx(np.nansum(values.astype(np.float64)), abs=1e-3)
    assert np.nanmin(short.low) == np.nanmin(values)
    assert np.nanmax(short.high) == np.nanmax(values)
    assert (np.diff(short.x) > 0).all()


def test_a_long_curve_looks_like_its_points() -> None:
    count = series.LONG * 4
    x = np.arange(count, dtype=np.float64)
    y = np.sin(x / 3000).astype(np.float32)
    y[50_000] = 9.0
    metric = Metric()
    metric.append(y)
    assert len(metric.series(x)) < count / 32
    fast = raster.cut(metric.series(x), 0, count, 100)
    exact = raster.cut(Series.of_points(x, y), 0, count, 100)
    assert np.allclose(fast.mean, exact.mean, atol=0.05)
    assert np.nanmax(fast.high) == 9
