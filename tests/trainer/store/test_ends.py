"""What never reached the store is said at the end, and a store that hangs does not hold the end."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from pathlib import Path

from pufftui.__main__ import main
from pufftui.apps.headless import run_headless
from pufftui.envs.catalogue import load_env
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.runner import Runner
from pufftui.trainer.settings.fields import Config, PolicyConfig, RunConfig, TrainConfig, VecConfig
from pufftui.trainer.store import StoreReader, StoreWriter, opening, writer

CONFIG = Config(
    "squared",
    {},
    TrainConfig(horizon=16, minibatch_size=256, total_steps=1_024_000),
    PolicyConfig(memory="none", hidden=16),
    VecConfig(agents=64),
    RunConfig(device="cpu"),
)


@contextlib.contextmanager
def locked(database: Path):
    """Another program locks the store as soon as it has rows; the event tells that it has."""
    held, over = threading.Event(), threading.Event()

    def lock() -> None:
        while not StoreReader(database).metrics_after(0).last:
            if over.wait(0.02):
                return
        with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            held.set()
            over.wait(60)

    thread = threading.Thread(target=lock)
    thread.start()
    try:
        yield held
    finally:
        over.set()
        thread.join()


def test_a_run_whose_rows_are_lost_says_so_in_words_and_status(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.05)
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path))
    for json_lines in (True, False):
        folder = RunFolder.create("", "squared")
        with locked(folder.database):
            status = run_headless(Runner(CONFIG, folder, load_env("squared")), json=json_lines)
        last = capsys.readouterr().out.splitlines()[-1]
        assert status == 3
        if json_lines:
            ending = json.loads(last)
            assert ending["done"] is True
            assert ending["lost_rows"] > 0
        else:
            assert (
                "of the store were lost. The store cannot be written: database is locked." in last
            )


def test_rows_that_waited_and_arrived_are_not_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.05)
    database = tmp_path / "run.db"
    store = StoreWriter(database)
    store.metrics(0, 0.0, 0, {"score": 0.0})
    with locked(database) as held:
        assert held.wait(20)
        store.metrics(1, 0.0, 0, {"score": 1.0})
        store.flush()
        assert store.problem
    store.close()
    assert store.problem == ""
    assert StoreReader(database).metrics_after(0).steps.tolist() == [0, 1]
    assert store.shortfall == ""


def test_a_store_that_hangs_does_not_hold_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "CLOSE_SECONDS", 0.3, raising=False)
    database = tmp_path / "run.db"
    store = StoreWriter(database)
    store.metrics(0, 0.0, 0, {"score": 0.0})
    with locked(database) as held:
        assert held.wait(20)
        store.metrics(1, 0.0, 0, {"score": 1.0})
        store.close()
        assert store.lost == 1
        assert "1 row of the store was lost" in store.shortfall
        assert "within" in store.shortfall


def test_a_locked_store_is_no_empty_table(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.05)
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path))
    folder = RunFolder.create("it", "squared")
    folder.config_file.touch()
    store = StoreWriter(folder.database)
    store.metrics(1, 0.0, 0, {"score": 1.0})
    store.close()
    with contextlib.closing(sqlite3.connect(folder.database, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=DELETE")
        other.execute("BEGIN EXCLUSIVE")
        assert main(["runs", "export", "it", "csv", "--output", "-"]) == 1
    said, errors = capsys.readouterr()
    assert said == ""
    assert "locked by another program" in errors
