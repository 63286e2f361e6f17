"""Which checkpoints are written, and which are kept, with a real session and store."""

import time

import pytest

from pufftui.envs.catalogue import load_env
from pufftui.trainer.health import RULES, Facts, Finding, Level
from pufftui.trainer.messages.channel import Channel
from pufftui.trainer.messages.command import Checkpoint, SetField
from pufftui.trainer.monitor.disk import DiskWatch, Room
from pufftui.trainer.monitor.monitor import Monitor
from pufftui.trainer.run.checkpoint import newest_checkpoint
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.settings.fields import Config, PolicyConfig, RunConfig, TrainConfig, VecConfig
from pufftui.trainer.store import StoreReader, StoreWriter, pin
from pufftui.trainer.training.keeper import CheckpointKeeper
from pufftui.trainer.training.reporter import Reporter
from pufftui.trainer.training.session import TrainingSession

CONFIG = Config(
    "squared",
    {},
    TrainConfig(horizon=16, minibatch_size=256),
    PolicyConfig(memory="none", hidden=16),
    VecConfig(agents=16, threads=1),
    RunConfig(device="cpu", keep_checkpoints=2),
)


class Kept:
    """A keeper with all it needs; `write` makes a checkpoint at a step, with a score."""

    def __init__(self) -> None:
        self.folder = RunFolder.create("it", "squared")
        self.session = TrainingSession(CONFIG, load_env("squared"))
        self.store = StoreWriter(self.folder.database)
        self.disk = DiskWatch(self.folder.path)
        self.channel = Channel(100)
        reader = StoreReader(self.folder.database)
        monitor = Monitor(Facts(), self.store, self.channel, reader)  # its thread never runs
        self.reporter = Reporter(
            self.session, self.channel, self.store, self.disk, monitor, time.monotonic()
        )
        self.keeper = self.another()

    def another(self) -> CheckpointKeeper:
        return CheckpointKeeper(self.session, self.folder, self.store, self.disk, self.reporter)

    def write(self, step: int, score: float | None = None, reason: str = "a test") -> None:
        self.session.step = step
        means = None if score is None else {"score": score}
        self.session.statistics.means = lambda: means
        self.keeper.write(reason)
        self.store.flush()

    @property
    def steps(self) -> list[int]:
        return sorted(int(path.stem[5:]) for path in self.folder.checkpoints.glob("step-*.npz"))


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path))
    kept = Kept()
    yield kept
    kept.store.close()
    kept.session.close()
    kept.folder.release()


def test_the_last_the_best_and_the_pinned_are_kept(kept):
    for step, score in [(0, None), (10, 5.0), (20, 9.0), (30, 1.0)]:
        kept.write(step, score)
    assert kept.steps == [20, 30]
    kept.write(40, 3.0)
    pin(kept.folder.database, f"step-{30:014d}.npz")
    for step in (50, 60, 70):
        kept.write(step, 3.0)
    assert kept.steps == [20, 30, 60, 70]
    pin(kept.folder.database, f"step-{30:014d}.npz", pinned=False)
    kept.write(80, 10.0)
    assert kept.steps == [70, 80]
    reader = StoreReader(kept.folder.database)
    assert [row.step for row in reader.checkpoints()] == [0, 10, 20, 30, 40, 50, 60, 70, 80]
    assert {row.reason for row in reader.checkpoints()} == {"a test"}
    reader.close()


def test_a_policy_that_is_surely_better_is_kept_now_and_then(kept, monkeypatch):
    def reach(step: int, score: float | None, seconds: float) -> None:
        kept.session.step = step
        known = score is not None
        kept.session.statistics.means = lambda: {"score": score} if known else None
        kept.session.statistics.score_interval = lambda: (score - 1, score + 1) if known else None
        monkeypatch.setattr(time, "monotonic", lambda: seconds)
        kept.keeper.write_if_best()

    begin = time.monotonic()
    reach(10, None, begin)
    assert kept.steps == []
    for step, score, seconds in [
        (20, 5.0, 1),
        (30, 9.0, 5),
        (40, 9.0, 12),
        (50, 9.5, 40),
        (60, 3.0, 60),
    ]:
        reach(step, score, begin + seconds)
    assert kept.steps == [20, 40]
    kept.keeper.end()
    assert "step 40 has a better score than the end: 9." in kept.channel.latest.better_checkpoint
    reach(70, 8.5, begin + 80)
    kept.reporter.show(better_checkpoint="")
    kept.keeper.end()
    assert kept.channel.latest.better_checkpoint == ""


def test_a_resumed_run_keeps_the_pinned_and_clears_up(kept):
    for step in (10, 20, 30):
        kept.write(step)
    later = kept.folder.checkpoints / f"step-{40:014d}.npz"
    pinned = kept.folder.checkpoints / f"step-{50:014d}.npz"
    partial = kept.folder.checkpoints / f".step-{60:014d}.npz.partial"
    for path in (later, pinned, partial):
        path.write_bytes(b"torn")
    kept.store.checkpoint(50, 0.0, pinned.name, None)
    kept.store.flush()
    pin(kept.folder.database, pinned.name)
    saved, torn = newest_checkpoint(kept.folder.checkpoints)
    assert len(torn) == 2
    kept.keeper = kept.another()
    kept.keeper.adopt(saved)
    assert kept.steps == [20, 30, 50]
    assert not partial.exists()
    kept.write(45)
    assert kept.steps == [30, 45, 50]


def test_an_alert_asks_for_one_checkpoint_a_minute(kept):
    for step, spare in [(10, 60.0), (20, 60.0), (30, 0.0)]:
        kept.session.step = step
        kept.keeper.write_unless_young(f"alert: {step}", spare)
    kept.store.flush()
    reader = StoreReader(kept.folder.database)
    assert [row.reason for row in reader.checkpoints()] == ["alert: 10", "alert: 30"]
    reader.close()


def test_the_last_healthy_checkpoint_stays_and_is_found(kept):
    for step in (10, 20):
        kept.write(step)
    kept.channel.findings = (Finding(RULES["score.crash"], Level.WARNING, "it fell", 15, 1.0),)
    for step in (30, 40, 50):
        kept.write(step)
    assert kept.steps == [10, 20, 40, 50], "none goes for one that is not healthy"
    assert kept.keeper.last_healthy(50).description["step"] == 20
    assert kept.keeper.last_healthy(15).description["step"] == 10
    assert kept.keeper.last_healthy(5) is None
    kept.channel.findings = (Finding(RULES["batch.size"], Level.INFO, "small", 15, 1.0),)
    kept.write(60)
    assert kept.steps == [20, 50, 60], "what is merely worth knowing is no illness"


def test_without_room_the_old_go_and_the_last_stays(kept, monkeypatch):
    for step in (10, 20):
        kept.write(step)
    monkeypatch.setattr(kept.keeper, "_due", 0.0)
    monkeypatch.setattr(kept.disk, "look", lambda: Room.NONE)
    kept.session.step = 30
    kept.keeper.write_if_due()
    kept.keeper.write_unless_young("anything", 1.0)
    assert kept.steps == [20]
    monkeypatch.setattr(kept.disk, "look", lambda: Room.TIGHT)
    kept.keeper.write_if_due()
    assert kept.steps == [20], "it waits before it tries again"
    kept.keeper._due = 0.0
    kept.keeper.write_if_due()
    assert kept.steps == [20, 30]


def test_what_a_person_asks_is_remembered(kept):
    kept.session.step = 10
    kept.reporter.command(Checkpoint("alert: x"))
    kept.reporter.command(SetField("train.gamma", 0.9))
    kept.store.flush()
    reader = StoreReader(kept.folder.database)
    told = [(row.step, row.name, row.detail) for row in reader.commands_after(0)]
    assert told == [
        (10, "Checkpoint", {"reason": "alert: x", "spare": 0.0}),
        (10, "SetField", {"path": "train.gamma", "value": 0.9}),
    ]
    reader.close()


def test_a_change_of_the_disk_is_told_once(kept):
    for room in (Room.SCARCE, Room.SCARCE, Room.NONE, Room.PLENTY):
        kept.disk.room = room
        kept.reporter.show()
    kept.store.flush()
    reader = StoreReader(kept.folder.database)
    events = [(event.kind, event.text) for event in reader.events_after(0)]
    assert [kind for kind, _ in events] == ["warning", "warning", "note"]
    assert "No more checkpoints" in events[1][1]
    reader.close()


def test_a_store_that_does_not_say_what_is_pinned_is_told_once(kept, monkeypatch):
    monkeypatch.setattr(StoreReader, "pinned_files", lambda _: None)
    for step in (100, 200, 300, 400):
        kept.write(step)
    assert kept.steps == [100, 200, 300, 400], "any of them may be pinned"
    told = [e.text for e in StoreReader(kept.folder.database).events_after(0) if e.kind == "error"]
    assert len(told) == 1
    assert "which are pinned" in told[0]
