from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pufftui.series.recent import Recent
from pufftui.trainer.store.columns import Columns, Names


def columns(names: Names, rows: int, value: float) -> Columns:
    table: NDArray[np.float32] = np.full((len(names), rows), value, np.float32)
    return Columns(names, table)


def test_what_a_row_lacks_is_unknown_before_and_after() -> None:
    recent, names = Recent(), Names(["score"])
    recent.append(columns(names, 2, 1.0))
    names.add(["sps"])
    recent.append(columns(names, 1, 2.0))
    recent.append(columns(Names(["loss", "sps"]), 300, 3.0))
    assert np.array_equal(recent.values("score"), [1, 1, 2, *[math.nan] * 300], equal_nan=True)
    assert np.array_equal(recent.values("sps"), [math.nan] * 2 + [2] + [3] * 300, equal_nan=True)
    assert np.array_equal(recent.values("loss"), [math.nan] * 3 + [3] * 300, equal_nan=True)
    assert (recent.last("score"), recent.last("sps"), recent.last("loss")) == (2, 3, 3)
    assert recent.last("unknown") is None


def test_names_that_come_one_by_one_do_not_move_all_figures_each_time() -> None:
    recent, names = Recent(), Names([f"layer{at}" for at in range(100)])
    recent.append(columns(names, 1, 0.0))
    moved = 0
    for at in range(100):
        before = recent.values("layer0")
        names.add([f"late{at}"])
        recent.append(columns(names, 1, float(at)))
        moved += not np.shares_memory(before, recent.values("layer0"))
        assert recent.last(f"late{at}") == at
    assert moved < 10
