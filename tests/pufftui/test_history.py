from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pufftui import raster, series
from pufftui.history import History
from pufftui.series import Metric, Series
from pufftui.trainer.store import MetricRows


class Reader:
    """Hands out the rows that a test puts in."""

    def __init__(self) -> None:
        self.last = 0
        self.next: tuple[list[int], dict[str, list[float]]] = ([], {})

    def metrics_after(self, row: int) -> MetricRows:
        assert row == self.last
        steps, values = self.next
        self.last += len(steps)
        self.next = ([], {})
        zeros = np.zeros(len(steps))
        return MetricRows(
            self.last,
            np.array(steps, np.int64),
            zeros,
            zeros.astype(np.int64),
            zeros.astype(np.int64),
            {name: np.array(column, np.float32) for name, column in values.items()},
        )


def test_rows_are_taken_in_as_they_come() -> None:
    history, reader = History(), Reader()
    assert not history.poll(reader)
    assert history.end == 0
    assert history.series("score").empty
    reader.next = ([10, 20], {"score": [1.0, 2.0]})
    assert history.poll(reader)
    reader.next = ([30], {"score": [3.0], "sps": [7.0]})
    assert history.poll(reader)
    assert history.steps.tolist() == [10, 20, 30]
    assert history.series("score").low.tolist() == [1, 2, 3]
    assert history.series("sps").count.tolist() == [0, 0, 1]
    reader.next = ([40], {"sps": [8.0]})
    history.poll(reader)
    assert history.series("score").count.tolist() == [1, 1, 1, 0]


def test_a_roll_back_leaves_out_what_was_abandoned() -> None:
    history, reader = History(), Reader()
    reader.next = ([10, 20, 30], {"score": [1.0, 2.0, 3.0]})
    history.poll(reader)
    reader.next = ([20, 25], {"score": [5.0, 6.0]})
    history.poll(reader)
    assert history.steps.tolist() == [10, 20, 25]
    assert history.series("score").low.tolist() == [1, 5, 6]
    # The same within one reading, as when a finished run is opened.
    again, reader = History(), Reader()
    reader.next = ([10, 20, 30, 20, 25], {"score": [1.0, 2.0, 3.0, 5.0, 6.0]})
    again.poll(reader)
    assert again.steps.tolist() == [10, 20, 25]
    assert again.series("score").low.tolist() == [1, 5, 6]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=20), st.integers(0, 3000))
def test_blocks_sum_up_exactly_what_they_hold(sizes: list[int], kept: int) -> None:
    random = np.random.default_rng(len(sizes))
    metric, parts = Metric(3), [np.full(3, np.nan, np.float32)]
    for size in sizes:
        part = random.normal(size=size).astype(np.float32)
        part[random.random(size) < 0.1] = np.nan
        metric.append(part)
        parts.append(part)
    values = np.concatenate(parts)
    metric.cut(kept)
    more = random.normal(size=100).astype(np.float32)
    metric.append(more)
    values = np.concatenate([values[:kept], more])
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
    metric = Metric(0)
    metric.append(y)
    assert len(metric.series(x)) < count / 32
    fast = raster.cut(metric.series(x), 0, count, 100)
    exact = raster.cut(Series.of_points(x, y), 0, count, 100)
    assert np.allclose(fast.mean, exact.mean, atol=0.05)
    assert np.nanmax(fast.high) == 9
