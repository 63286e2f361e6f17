"""What a person adds to a run from elsewhere, and what the trainer tells beside the metrics."""

import threading
import time

import pytest

from pufftui.envs.errors import PuffError
from pufftui.trainer.store import (
    StoreReader,
    StoreWriter,
    acknowledge,
    add_note,
    pin,
    tag,
    turns,
    untag,
)

READING = {
    "processor": 0.5,
    "process_cores": 1.75,
    "process_memory": 1 << 30,
    "memory_used": 3 << 30,
    "memory_total": 16 << 30,
    "disk_free": 1 << 40,
}


@pytest.fixture
def database(tmp_path):
    return tmp_path / "run.db"


@pytest.fixture
def store(database):
    store = StoreWriter(database)
    yield store
    store.close()


def test_alerts_commands_readings_and_facts_come_back(database, store):
    gpu = {"index": 0, "name": "H200", "use": 0.5, "power": None}
    evidence = {"approx_kl": [0.1, 0.2]}
    words = {"level": "warning", "rule": "kl", "title": "KL is high", "text": "It is 0.2."}
    store.alert(640, 1.5, **words, evidence=evidence, advice="Lower the learning rate.")
    store.alert(641, 1.6, **words, evidence={"bad": object()})
    store.command(640, 1.5, "change", {"path": "train.gamma", "value": 0.9})
    store.system(640, 1.5, READING, [gpu])
    store.system(640, 2.5, {"processor": 1.0})  # the other figures are not optional
    store.fact("env", "squared")
    store.fact("env", "snake")
    store.checkpoint(640, 1.5, "a.npz", 2.0, "you asked")
    store.flush()
    assert store.problem == ""
    reader = StoreReader(database)
    (alert,) = reader.alerts_after(0)
    assert (alert.step, alert.seconds, alert.level, alert.rule) == (640, 1.5, "warning", "kl")
    assert (alert.evidence, alert.advice) == (evidence, "Lower the learning rate.")
    assert alert.acknowledged_at is None
    (command,) = reader.commands_after(0)
    assert (command.name, command.detail) == ("change", {"path": "train.gamma", "value": 0.9})
    assert abs(command.at - time.time()) < 60
    (row,) = reader.system_after(0)
    assert {name: getattr(row, name) for name in READING} == READING
    assert row.gpus == (gpu,)
    assert reader.facts() == {"env": "snake"}
    assert reader.checkpoints()[0].reason == "you asked"
    assert [event.kind for event in reader.events_after(0)] == ["error"]
    assert reader.commands_after(command.id) == reader.system_after(row.id) == []
    reader.close()


def test_a_person_adds_to_a_run_that_is_being_written(database, store):
    store.alert(1, 0.0, level="info", rule="r", title="t", text="x")
    store.flush()
    reader = StoreReader(database)
    add_note(database, 640, "Here it got \n stuck.")
    tag(database, "good", "baseline", "good")
    untag(database, "good", "unknown")
    acknowledge(database, 1, 99)
    seen = reader.alerts_after(0)[0].acknowledged_at
    acknowledge(database, 1)
    assert reader.alerts_after(0)[0].acknowledged_at == seen
    assert abs(seen - time.time()) < 60
    store.metrics(1, 0.0, 0, {"a": 1.0})
    store.flush()
    assert store.problem == ""
    (note,) = reader.notes_after(0)
    assert (note.step, note.text) == (640, "Here it got \n stuck.")
    assert reader.tags() == ["baseline"]
    assert len(reader.lineages()) == 1
    reader.close()


def test_only_a_checkpoint_that_is_there_can_be_pinned(database, store):
    folder = database.parent / "checkpoints"
    folder.mkdir()
    for name in ("step-1.npz", "step-2.npz"):
        store.checkpoint(1, 0.0, name, None)
    (folder / "step-1.npz").touch()
    store.flush()
    reader = StoreReader(database)
    pin(database, "step-1.npz")
    assert [row.pinned for row in reader.checkpoints()] == [True, False]
    pin(database, "step-1.npz", pinned=False)
    assert [row.pinned for row in reader.checkpoints()] == [False, False]
    with pytest.raises(PuffError, match="no checkpoint step-2"):
        pin(database, "step-2.npz")
    reader.close()


def test_a_run_without_a_store_and_a_file_that_is_none_are_messages(database):
    with pytest.raises(PuffError, match="There is no store"):
        add_note(database, 0, "x")
    assert not database.exists()
    database.write_text("Dear diary, " * 500)
    with pytest.raises(PuffError, match="cannot be written"):
        tag(database, "x")
    assert list(database.parent.iterdir()) == [database]


def test_threads_of_one_process_take_turns(tmp_path, monkeypatch):
    """A turn that has just been taken is not what somebody dead has left."""
    make, inside, most = turns._make, [], []

    def make_slowly(file, mine):
        made = make(file, mine)
        time.sleep(0.02)
        return made

    def take():
        for _ in range(5):
            with turns.turn(tmp_path / "run.db", 20.0):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.005)
                inside.pop()

    monkeypatch.setattr(turns, "_make", make_slowly)
    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 20
    assert not list(tmp_path.iterdir())
