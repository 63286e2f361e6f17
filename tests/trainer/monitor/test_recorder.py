"""The look at the machine: what it cannot tell is said once, and the run goes on."""

import time

from pufftui.trainer.health import Facts
from pufftui.trainer.messages.channel import Channel
from pufftui.trainer.messages.snapshot import Phase, Snapshot
from pufftui.trainer.monitor import recorder
from pufftui.trainer.monitor.disk import DiskWatch
from pufftui.trainer.monitor.monitor import Monitor
from pufftui.trainer.store import StoreReader, StoreWriter


def test_a_machine_that_cannot_be_read_is_told_once(tmp_path, monkeypatch):
    monkeypatch.setattr(recorder, "INTERVAL", 0.01)
    looks = []

    def refuse(self):
        looks.append(self)
        raise OSError("no such sensor")

    monkeypatch.setattr(recorder.HostSampler, "sample", refuse)
    store, channel = StoreWriter(tmp_path / "run.db"), Channel(100)
    channel.latest = Snapshot(Phase.RUNNING)
    reader = StoreReader(tmp_path / "run.db")
    watch = recorder.Recorder(
        store, channel, DiskWatch(tmp_path), Monitor(Facts(), store, channel, reader)
    )
    watch.start()
    end = time.monotonic() + 20
    while len(looks) < 3 and time.monotonic() < end:
        time.sleep(0.01)
    watch.stop()
    store.close()
    events = reader.events_after(0)
    reader.close()
    assert [(event.kind, "no such sensor" in event.text) for event in events] == [("error", True)]
