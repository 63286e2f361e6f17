"""Coarser levels: any zoom of any run says the same as its rows, and reads few of them."""

import contextlib
import itertools
import math
import sqlite3
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pufftui.trainer.store import StoreReader, StoreWriter, ledger, schema
from pufftui.trainer.store.levels import FACTOR, LEVELS

VALUES = st.one_of(st.floats(-100, 100, width=16), st.just(math.nan))


def write(database, from_step, rows, commits=1):
    """Rows are (step, values, extremes); each start of a run is a lineage."""
    book = ledger.Ledger(database, from_step)
    bounds = np.linspace(0, len(rows), commits + 1).astype(int)
    for begin, end in itertools.pairwise(bounds):

        def insert(book, part=rows[begin:end]):
            for step, values, extremes in part:
                book.metrics(step, step / 10, step // 2, values, extremes)

        book.write([insert])
    book.close()


@st.composite
def runs(draw):
    """Starts of a run as (from_step, rows); each goes on from somewhere in what there is."""
    starts, highest = [], 0
    for _ in range(draw(st.integers(1, 4))):
        from_step = draw(st.integers(0, highest))
        count = draw(st.integers(0, 60))
        steps = from_step + np.cumsum([draw(st.integers(1, 3)) for _ in range(count)])
        rows = []
        for step in steps.tolist():
            values = {name: draw(VALUES) for name in draw(st.sets(st.sampled_from("abc")))}
            extremes = {
                name: (value - draw(st.integers(0, 5)), value + draw(st.integers(0, 5)))
                for name, value in values.items()
                if not math.isnan(value) and draw(st.booleans())
            }
            rows.append((step, values, extremes))
        starts.append((from_step, rows))
        highest = max([highest, *steps.tolist()])
    return starts


def kept_rows(starts):
    kept = []
    for from_step, rows in starts:
        kept = [row for row in kept if row[0] <= from_step] + rows
    return kept


@settings(max_examples=60)
@given(runs(), st.data())
def test_every_zoom_sums_up_exactly_the_rows_of_the_run_as_it_is(starts, data):
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "run.db"
        for from_step, rows in starts:
            write(database, from_step, rows, commits=data.draw(st.integers(1, 3)))
        end = max([0, *(step for _, rows in starts for step, _, _ in rows)])
        first, last = sorted(data.draw(st.tuples(st.integers(0, end + 1), st.integers(0, end + 1))))
        points = data.draw(st.integers(1, 50))
        reader = StoreReader(database)
        found = reader.metrics_between(first, last, points)
        whole, left = reader.metrics_between(), reader.abandoned(100)
        reader.close()
    # Every row is either part of the run or left, never both.
    held = sum(
        sum(int(count.sum()) for count in blocks.count.values()) for blocks in [whole, *left]
    )
    written = [values for _, rows in starts for _, values, _ in rows]
    assert held == sum(not math.isnan(value) for values in written for value in values.values())
    expected = [row for row in kept_rows(starts) if first <= row[0] <= last]
    assert len(found.first_steps) <= points + 2 * FACTOR * LEVELS * len(starts)
    assert (found.first_steps[1:] > found.last_steps[:-1]).all()
    assert (found.first_steps <= found.last_steps).all()
    for name in {name for _, values, _ in expected for name in values}:
        known = [
            (values[name], *extremes.get(name, (values[name], values[name])))
            for _, values, extremes in expected
            if name in values and not math.isnan(values[name])
        ]
        count = found.count[name]
        assert count.sum() == len(known)
        assert (np.isnan(found.mean[name]) == (count == 0)).all()
        if known:
            total = np.nansum(found.mean[name].astype(float) * count)
            assert total == pytest.approx(sum(mean for mean, _, _ in known), abs=1e-3)
            assert np.nanmin(found.low[name]) == min(low for _, low, _ in known)
            assert np.nanmax(found.high[name]) == max(high for _, _, high in known)
    # Each block holds the rows that lie in its steps, and no others.
    for index in range(len(found.first_steps)):
        low, high = found.first_steps[index], found.last_steps[index]
        inside = [row for row in expected if low <= row[0] <= high]
        assert (inside[0][0], inside[-1][0]) == (low, high)
        assert found.seconds[index] == inside[0][0] / 10
        assert found.epochs[index] == inside[0][0] // 2


def test_a_long_run_is_read_in_few_blocks(tmp_path):
    database = tmp_path / "run.db"
    count = 20_000
    write(database, 0, [(step, {"a": math.sin(step / 999)}, {}) for step in range(count)])
    write(database, 9_990, [(9_990 + step, {"a": 7.0}, {}) for step in range(1, 101)])
    reader = StoreReader(database)
    for points in (10, 100, 1000):
        found = reader.metrics_between(points=points)
        assert points / FACTOR <= len(found.first_steps) <= points + 2 * 2 * LEVELS * FACTOR
        assert found.count["a"].sum() == 9_991 + 100
        assert found.high["a"].max() == 7
        assert found.last == count + 100
        assert found.lineages.tolist() == sorted(found.lineages.tolist())
    assert len(reader.metrics_after(found.last).steps) == 0
    reader.close()


def test_steps_that_go_back_begin_a_lineage(tmp_path):
    database = tmp_path / "run.db"
    store = StoreWriter(database)
    for step in [0, 10, 10, 20, 30, 15, 25]:
        store.metrics(step, 0.0, 0, {"a": step})
    store.close()
    reader = StoreReader(database)
    assert [(one.parent, one.from_step) for one in reader.lineages()] == [(None, 0), (1, 14)]
    assert reader.metrics_between().mean["a"].tolist() == [0, 10, 10, 15, 25]
    assert reader.metrics_after(0).steps.tolist() == [0, 10, 10, 20, 30, 15, 25]
    reader.close()


def test_a_batch_that_fails_half_way_leaves_lineage_and_blocks_right(tmp_path):
    database = tmp_path / "run.db"
    book = ledger.Ledger(database, 0)
    steps = [*range(40), *range(20, 60)]

    def insert(book):
        for step in steps:
            book.metrics(step, 0.0, 0, {"a": step}, {})

    def fail(_):
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(sqlite3.OperationalError):
        book.write([insert, fail])
    book.close()
    book.write([insert])
    book.close()
    reader = StoreReader(database)
    assert reader.metrics_between().mean["a"].tolist() == list(range(60))
    assert reader.metrics_between(points=3).count["a"].sum() == 60
    assert len(reader.lineages()) == 2
    reader.close()


def test_old_extremes_go_and_the_blocks_keep_them(tmp_path, monkeypatch):
    monkeypatch.setattr(ledger, "EXTREMES_KEPT", 50)
    database = tmp_path / "run.db"
    write(database, 0, [(step, {"a": 0.0}, {"a": (-step, step)}) for step in range(200)], commits=9)
    with contextlib.closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT count(*), min(row) FROM extremes").fetchone() == (50, 151)
    reader = StoreReader(database)
    assert reader.metrics_between(0, 47, 3).high["a"].tolist() == [15, 31, 47]
    assert reader.metrics_between(150, 199, 1000).low["a"][-1] == -199
    reader.close()


@pytest.fixture
def first_version(tmp_path, monkeypatch):
    """A file as version 1 wrote it, with two lineages."""
    database = tmp_path / "run.db"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(f"{schema.MIGRATIONS[0]} PRAGMA user_version=1;")
        connection.executemany(
            "INSERT INTO lineage VALUES (?, ?, ?, 0)", [(1, None, 0), (2, 1, 700)]
        )
        connection.execute("INSERT INTO metric VALUES (0, 'a'), (1, 'b')")
        rows = [(1, step) for step in range(1000)] + [(2, step) for step in range(701, 900)]
        connection.executemany(
            "INSERT INTO metrics VALUES (NULL, ?, ?, 0, 0, ?)",
            [(line, step, np.array([step, 1], "<f4").tobytes()) for line, step in rows],
        )
        connection.execute("INSERT INTO event VALUES (1, 1, 5, 0.5, 'start', 'it began')")
        connection.execute("INSERT INTO checkpoint VALUES (1, 1, 5, 0.5, 'a.npz', 2.5)")
        connection.commit()
    return database


def check(reader):
    assert reader.metrics_after(0).steps.tolist() == [*range(1000), *range(701, 900)]
    found = reader.metrics_between(points=60)
    assert len(found.first_steps) <= 60 + 2 * FACTOR
    assert found.count["a"].sum() == 900
    assert found.high["a"].max() == 899
    (one,) = reader.checkpoints()
    assert (one.file, one.score, one.pinned, one.reason) == ("a.npz", 2.5, False, "")
    assert [event.text for event in reader.events_after(0)] == ["it began"]
    reader.close()


def test_a_file_of_version_1_becomes_current_when_it_is_written(first_version):
    StoreWriter(first_version, from_step=899).close()
    with contextlib.closing(sqlite3.connect(first_version)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    check(StoreReader(first_version))


def test_a_file_of_version_1_can_be_read_and_stays_as_it_is(first_version):
    before = first_version.read_bytes()
    reader = StoreReader(first_version)
    check(reader)
    assert reader.alerts_after(0) == reader.notes_after(0) == reader.system_after(0) == []
    reader.close()
    assert first_version.read_bytes() == before
