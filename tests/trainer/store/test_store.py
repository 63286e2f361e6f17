"""The store inside one process: what goes in comes out, and what goes wrong stays harmless."""

import contextlib
import math
import sqlite3
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pufftui.envs.errors import PuffError
from pufftui.envs.vector import EPISODE
from pufftui.trainer.store import (
    StoreReader,
    StoreWriter,
    ledger,
    opening,
    pin,
    schema,
    writer,
)

NAMES = ["score", "sps", "policy_loss", "entropy", "ünicode name", "statistic_hits"]
rows = st.dictionaries(st.sampled_from(NAMES), st.floats(width=32))


def until(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def sql(database, query):
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture
def database(tmp_path):
    return tmp_path / "run.db"


@pytest.fixture
def store(database):
    store = StoreWriter(database)
    yield store
    store.close()


@settings(max_examples=30)
@given(st.lists(st.lists(rows, max_size=6), min_size=1, max_size=4))
def test_metrics_come_back_as_they_were_written(starts):
    """Each inner list is one start of the run; the reader sees them all and asks in two parts."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "run.db"
        for start, batch in enumerate(starts):
            store = StoreWriter(database)
            for number, values in enumerate(batch):
                store.metrics(2**40 + number, start + number / 7, number, values)
            store.close()
            assert store.problem == ""
        expected = [(s + 1, n, v) for s, batch in enumerate(starts) for n, v in enumerate(batch)]
        reader = StoreReader(database)
        for first in (0, len(expected) // 2):
            part, found = expected[first:], reader.metrics_after(first)
            assert found.last == len(expected)
            assert found.lineages.tolist() == [lineage for lineage, _, _ in part]
            assert found.steps.tolist() == [2**40 + number for _, number, _ in part]
            assert found.seconds.tolist() == [lineage - 1 + n / 7 for lineage, n, _ in part]
            assert found.epochs.tolist() == [number for _, number, _ in part]
            if part:
                assert set(found.values) == {name for _, _, v in expected for name in v}
            for name, column in found.values.items():
                assert column.dtype == np.float32
                assert column.flags.c_contiguous
                plain = [values.get(name, math.nan) for _, _, values in part]
                finite = [value if math.isfinite(value) else math.nan for value in plain]
                np.testing.assert_array_equal(column, np.array(finite, np.float32))
        reader.close()


def test_events_and_checkpoints_come_back(database, store):
    store.event(0, 0.0, "start", "it began")
    store.event(2**62, 1.5, "pause", "line\nbreak and ünicode")
    store.checkpoint(64, 2.5, "000064.pt", None)
    store.checkpoint(128, 3.5, "000128.pt", 7.25)
    store.flush()
    reader = StoreReader(database)
    events = reader.events_after(0)
    assert [(e.step, e.seconds, e.kind, e.text) for e in events] == [
        (0, 0.0, "start", "it began"),
        (2**62, 1.5, "pause", "line\nbreak and ünicode"),
    ]
    assert reader.events_after(events[0].id) == events[1:]
    assert [(c.step, c.seconds, c.file, c.score) for c in reader.checkpoints()] == [
        (64, 2.5, "000064.pt", None),
        (128, 3.5, "000128.pt", 7.25),
    ]
    reader.close()


def finished(count, seed=0):
    random = np.random.default_rng(seed)
    episodes = np.zeros(count, EPISODE)
    episodes["step"] = np.sort(random.integers(0, 2**40, count))
    episodes["agent"] = random.integers(0, 2**32, count)
    episodes["length"] = random.integers(0, 2**32, count)
    episodes["score"] = random.standard_normal(count)
    episodes["episode_return"] = random.choice([1.5, math.nan, math.inf], count)
    used = random.integers(0, 11)
    episodes["statistics"][:, :used] = random.integers(-1, 2, (count, used))
    return episodes


def test_few_episodes_are_all_kept(database, store):
    batches = [finished(count, seed=count) for count in (5, 0, 20, 1)]
    for batch in batches:
        store.episodes(1000, batch)
        batch["score"] = -1  # the caller may use its array again
    store.flush()
    reader = StoreReader(database)
    last, found = reader.episodes_after(0)
    expected = np.concatenate([finished(count, seed=count) for count in (5, 0, 20, 1)])
    assert found.dtype == EPISODE
    assert last == 26
    later = reader.episodes_after(20)[1]
    for name in EPISODE.names:
        np.testing.assert_array_equal(found[name], expected[name])
        np.testing.assert_array_equal(later[name], expected[name][20:])
    reader.close()


def test_of_many_episodes_an_even_sample_is_kept(database, store):
    episodes = finished(100_000)
    for _ in range(20):
        store.episodes(0, episodes)
    store.flush()
    _, found = StoreReader(database).episodes_after(0)
    assert 64 <= len(found) <= 64 + writer.EPISODES_PER_SECOND * 10
    places = np.searchsorted(episodes["step"], found["step"][:64])
    assert places[0] < 100_000 / 64
    assert places[-1] >= 100_000 - 100_000 / 64
    assert np.ptp(np.diff(places)) <= 1


def test_each_start_opens_a_lineage(database):
    for from_step in (0, 640, 320):
        StoreWriter(database, from_step=from_step).close()
    lineages = sql(database, "SELECT id, parent, from_step, started FROM lineage")
    assert [row[:3] for row in lineages] == [(1, None, 0), (2, 1, 640), (3, 2, 320)]
    assert all(abs(started - time.time()) < 60 for *_, started in lineages)


def test_a_row_is_there_soon_without_a_flush(database, store):
    reader = StoreReader(database)
    for step in range(1, 4):
        store.metrics(step, 0.0, 0, {"score": 1.0})
        until(lambda step=step: len(reader.metrics_after(0).steps) == step, seconds=2.0)
    reader.close()


def test_a_reader_waits_for_the_file_and_for_the_tables(database):
    reader = StoreReader(database)
    assert len(reader.metrics_after(0).steps) == 0
    assert reader.metrics_after(17).last == 17
    assert reader.events_after(0) == []
    assert not database.exists()
    database.touch()
    assert reader.checkpoints() == []
    store = StoreWriter(database)
    store.metrics(1, 0.0, 0, {"score": 1.0})
    store.close()
    assert reader.metrics_after(0).values["score"].tolist() == [1.0]
    reader.close()


def test_a_reader_cannot_write(database, store):
    store.flush()
    reader = StoreReader(database)
    reader.events_after(0)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("DELETE FROM lineage")
    reader.close()


def test_numbers_of_numpy_are_numbers(database, store):
    store.metrics(np.int64(3), np.float32(0.5), np.uint32(7), {"score": np.float64(1e300)})
    store.checkpoint(np.int64(3), np.float32(0.5), "a.pt", np.float32(2.5))
    store.flush()
    reader = StoreReader(database)
    found = reader.metrics_after(0)
    assert (found.steps[0], found.seconds[0], found.epochs[0]) == (3, 0.5, 7)
    assert math.isnan(found.values["score"][0])
    assert reader.not_finite()["score"].words == "too large since step 3"
    assert reader.checkpoints()[0].score == 2.5
    reader.close()


def test_a_row_that_cannot_be_stored_costs_only_itself(database, store):
    store.metrics(1, 0.0, 0, {"score": 1.0})
    store.metrics(2, 0.0, 0, {"score": "high", "new": 1.0})
    store.metrics(2**64, 0.0, 0, {"score": 1.0})
    store.metrics(3, math.nan, 0, {"score": 1.0})
    store.metrics(3, 0.0, 0, {3: 1.0, None: 2.0})
    store.episodes(3, np.zeros(3))
    store.event(3, 0.0, "note", object())
    store.event(3, 0.0, "note", "\ud800")
    store.metrics(4, 0.0, 0, {"score": 4.0})
    store.flush()
    assert store.problem == ""
    reader = StoreReader(database)
    found = reader.metrics_after(0)
    assert found.steps.tolist() == [1, 2, 3, 4]
    assert found.values["new"][1] == 1.0, "the number beside a value that is none"
    assert found.values["score"][[0, 3]].tolist() == [1.0, 4.0]
    assert np.isnan(found.values["score"][1:3]).all()
    error, *others = reader.events_after(0)
    assert error.kind == "error"
    assert "could not be stored" in error.text
    assert [event.kind for event in others] == ["note", "note"]
    assert others[1].text == r"\ud800"
    reader.close()


def test_writing_recovers_when_the_folder_appears(tmp_path):
    database = tmp_path / "later" / "run.db"
    store = StoreWriter(database)
    for step in range(10):
        store.metrics(step, 0.0, 0, {"score": step})
    store.flush()
    assert "unable to open database file" in store.problem
    database.parent.mkdir()
    store.flush()
    assert store.problem == ""
    store.close()
    reader = StoreReader(database)
    assert reader.metrics_after(0).steps.tolist() == list(range(10))
    (event,) = reader.events_after(0)
    assert event.kind == "error"
    assert "nothing was lost" in event.text
    assert len(sql(database, "SELECT * FROM lineage")) == 1
    reader.close()


def test_while_it_fails_the_oldest_rows_give_way(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "MOST_WAITING", 4)
    database = tmp_path / "later" / "run.db"
    store = StoreWriter(database)
    for step in range(10):
        store.metrics(step, 0.0, 0, {"score": step})
        store.flush()
    database.parent.mkdir()
    store.close()
    reader = StoreReader(database)
    assert reader.metrics_after(0).steps.tolist() == [6, 7, 8, 9]
    assert "6 rows were lost" in reader.events_after(0)[0].text
    reader.close()


def test_a_failure_that_lasts_ends_with_close(tmp_path):
    store = StoreWriter(tmp_path / "nowhere" / "run.db")
    store.metrics(1, 0.0, 0, {"score": 1.0})
    store.close()
    store.close()
    store.metrics(2, 0.0, 0, {"score": 1.0})
    store.flush()
    assert store.problem
    assert list(tmp_path.iterdir()) == []


def test_another_writers_lock_only_delays(database, store, monkeypatch):
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.05)
    store.close()
    store = StoreWriter(database)
    store.flush()
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        store.metrics(1, 0.0, 0, {"score": 1.0})
        store.flush()
        assert "locked" in store.problem
        other.execute("COMMIT")
    store.flush()
    assert store.problem == ""
    store.close()
    assert StoreReader(database).metrics_after(0).steps.tolist() == [1]


def test_a_file_that_is_no_store_is_named_and_left_alone(database):
    database.write_text("Dear diary, " * 500)
    store = StoreWriter(database)
    store.metrics(1, 0.0, 0, {"score": 1.0})
    store.close()
    assert "not a database" in store.problem
    assert database.read_text() == "Dear diary, " * 500
    with pytest.raises(PuffError, match="cannot be read"):
        StoreReader(database).metrics_after(0)


def test_a_store_from_the_future_is_refused(database):
    StoreWriter(database).close()
    sql(database, "PRAGMA user_version=1000")
    store = StoreWriter(database)
    store.close()
    assert "version 1000" in store.problem
    with pytest.raises(PuffError, match="newer pufftui"):
        StoreReader(database).events_after(0)


def test_a_later_version_migrates_the_file_and_keeps_the_rows(database, monkeypatch):
    store = StoreWriter(database)
    store.metrics(1, 0.0, 0, {"score": 1.0})
    store.close()
    added = "CREATE TABLE extra (x); INSERT INTO extra SELECT step FROM metrics;"
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, added))
    store = StoreWriter(database)
    store.metrics(2, 0.0, 0, {"score": 2.0})
    store.close()
    assert store.problem == ""
    assert sql(database, "PRAGMA user_version") == [(len(schema.MIGRATIONS),)]
    assert sql(database, "SELECT x FROM extra") == [(1,)]
    assert StoreReader(database).metrics_after(0).steps.tolist() == [1, 2]


def test_a_migration_that_fails_leaves_the_file_as_it_was(database, monkeypatch):
    StoreWriter(database).close()
    before = sql(database, "SELECT sql FROM sqlite_schema")
    broken = "CREATE TABLE extra (x); INSERT INTO nothing VALUES (1);"
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, broken))
    store = StoreWriter(database)
    store.close()
    assert "nothing" in store.problem
    assert sql(database, "SELECT sql FROM sqlite_schema") == before
    assert sql(database, "PRAGMA user_version") == [(len(schema.MIGRATIONS) - 1,)]


def test_three_days_fit_in_a_hundred_megabytes(database):
    """A tenth of them: rows of 40 metrics once a second and episodes at their full rate."""
    names, seconds = [f"metric_{number}" for number in range(40)], 26_000
    values = dict.fromkeys(names, 0.1)
    episodes = np.ones(int(seconds * writer.EPISODES_PER_SECOND), EPISODE)

    def insert(rows):
        for second in range(seconds):
            rows.metrics(second * 1_000_000, float(second), second, values)
        rows.episodes(10**12, episodes)

    rows = ledger.Ledger(database, 0)
    rows.write([insert])
    rows.close()
    assert database.stat().st_size < 10_000_000


def test_a_locked_store_does_not_say_that_nothing_is_pinned(database, monkeypatch):
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.05)
    reader = StoreReader(database)
    assert reader.pinned_files() == set()
    with contextlib.closing(StoreWriter(database)) as store:
        store.checkpoint(1, 0.1, "step-1.npz", None, "asked")
        store.flush()
        checkpoint_file(database)
        pin(database, "step-1.npz")
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=DELETE")
        other.execute("BEGIN EXCLUSIVE")
        assert reader.pinned_files() is None
    assert reader.pinned_files() == {"step-1.npz"}
    reader.close()


def checkpoint_file(database):
    folder = database.parent / "checkpoints"
    folder.mkdir(exist_ok=True)
    (folder / "step-1.npz").touch()


def test_a_checkpoint_written_again_stays_pinned_and_can_be_let_go(database):
    with contextlib.closing(StoreWriter(database)) as store:
        for pinned in (True, False):
            store.checkpoint(1, 0.1, "step-1.npz", None, "asked")
            store.flush()
            checkpoint_file(database)
            pin(database, "step-1.npz", pinned=pinned)
            store.checkpoint(1, 0.2, "step-1.npz", None, "the end")
            store.flush()
            reader = StoreReader(database)
            assert [row.pinned for row in reader.checkpoints()][-1] is pinned
            assert reader.pinned_files() == ({"step-1.npz"} if pinned else set())
            reader.close()
