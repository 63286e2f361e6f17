"""The machine's readings as another process wrote them into the store."""

import pytest

from pufftui.state.stored_machine import NO_GPU, StoredMachine
from pufftui.trainer.monitor.system import REMEMBERED
from pufftui.trainer.store import StoreReader, StoreWriter

GPU = {
    "index": 0,
    "name": "one",
    "use": 0.5,
    "memory_used": 10,
    "memory_total": 20,
    "temperature": None,
    "power": 300.0,
}


def write(database, shares, gpus=()):
    store = StoreWriter(database)
    store.fact("cores", 6)
    for share in shares:
        figures = {
            "processor": share,
            "process_cores": 2.5,
            "process_memory": 1000,
            "memory_used": 2000,
            "memory_total": 3000,
            "disk_free": 4000,
        }
        store.system(1, 1.0, figures, list(gpus))
    store.close()


def test_the_newest_reading_and_the_recent_past(tmp_path):
    database = tmp_path / "run.db"
    machine, reader = StoredMachine(), StoreReader(database)
    machine.poll(reader)
    assert machine.latest is None
    write(database, [0.25, 0.5])
    machine.poll(reader)
    host, gpus = machine.latest
    assert (host.cores, host.processor, host.busy) == (6, 0.5, (0.25, 0.5))
    assert (host.memory_used, host.memory_total) == (2000, 3000)
    assert (host.process_memory, host.process_cores) == (1000, 2.5)
    assert gpus.note == NO_GPU
    write(database, [0.75], [GPU])
    machine.poll(reader)
    machine.poll(reader)
    host, gpus = machine.latest
    assert host.busy == (0.25, 0.5, 0.75)
    assert [(gpu.name, gpu.use, gpu.temperature) for gpu in gpus.gpus] == [("one", 0.5, None)]
    reader.close()


def test_a_long_run_is_not_read_from_its_start(tmp_path):
    database = tmp_path / "run.db"
    write(database, [0.0] * 10 + [1.0] * REMEMBERED)
    machine, reader = StoredMachine(), StoreReader(database)
    machine.poll(reader)
    assert machine.latest[0].busy == (1.0,) * REMEMBERED
    reader.close()


def test_what_newer_trainers_tell_and_how_the_process_grows(tmp_path):
    database = tmp_path / "run.db"
    store = StoreWriter(database)
    for second in range(0, 600, 5):
        figures = {
            "processor": 0.5,
            "process_cores": 1.0,
            "process_memory": 1_000_000 + 100 * second,
            "memory_used": 2000,
            "memory_total": 3000,
            "disk_free": 4000,
        }
        throttled = GPU | {"clock": 1200, "power_limit": 700.0, "throttle": ["slowed by heat"]}
        store.system(1, float(second), figures, [throttled])
    store.close()
    machine, reader = StoredMachine(), StoreReader(database)
    machine.poll(reader)
    host, gpus = machine.latest
    assert host.process_growth == pytest.approx(100 * 3600)
    assert (host.disk_free, host.disk_total, host.each) == (4000, None, ())
    [gpu] = gpus.gpus
    assert (gpu.clock, gpu.power_limit, gpu.throttle) == (1200, 700, ("slowed by heat",))
    assert gpus.recent == ((0.5,) * 120,)
    reader.close()
