"""Going back to the last healthy checkpoint of a real run, while it trains."""

import time

import numpy as np
import pytest

from pufftui.envs.catalogue import load_env
from pufftui.trainer.messages.command import Checkpoint, Pause, Resume, RollBack, SetField, Stop
from pufftui.trainer.messages.snapshot import Phase
from pufftui.trainer.run.checkpoint import newest_checkpoint
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.runner import Runner
from pufftui.trainer.settings.fields import Config, PolicyConfig, RunConfig, TrainConfig, VecConfig
from pufftui.trainer.store import StoreReader, kept_steps

CONFIG = Config(
    "squared",
    {},
    TrainConfig(horizon=16, minibatch_size=256, total_steps=10**12, learning_rate=0.02),
    PolicyConfig(memory="none", hidden=16),
    VecConfig(agents=16, threads=1),
    RunConfig(device="cpu", name="it"),
)


def wait_until(true, seconds=30):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def runner(tmp_path, monkeypatch):
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path))
    folder = RunFolder.create("it", "squared")
    runner = Runner(CONFIG, folder, load_env("squared"))
    runner.start()
    wait_until(lambda: runner.latest.phase is Phase.RUNNING and runner.latest.step > 0)
    yield runner
    runner.send(Stop())
    assert runner.join(30)


def paused(runner):
    runner.send(Pause())
    wait_until(lambda: runner.latest.phase is Phase.PAUSED)
    return runner.latest.step


def newest(runner):
    return newest_checkpoint(runner.folder.checkpoints)[0]


def test_a_run_goes_back_and_on_with_smaller_steps(runner):
    runner.send(Checkpoint())
    wait_until(lambda: runner.latest.checkpoint_step)
    good = runner.latest.checkpoint_step
    runner.send(SetField("train.learning_rate", 5.0))
    wait_until(lambda: runner.latest.settings["train.learning_rate"] == 5.0)
    changed = runner.latest.step
    wait_until(lambda: runner.latest.step > changed)
    assert paused(runner) > good
    assert runner.latest.settings["train.learning_rate"] == 5.0
    runner.send(RollBack(good, 0.5, "a test"))
    wait_until(lambda: runner.latest.step == good)
    assert runner.latest.settings["train.learning_rate"] == 0.01, "half of what it was back then"
    wait_until(lambda: newest(runner).description["reason"] == "rolled back")
    saved, torn = newest_checkpoint(runner.folder.checkpoints)
    assert (saved.description["step"], torn) == (good, [])
    assert "learning_rate = 0.01" in saved.description["config"]
    weights = runner.weights
    assert weights.step == good
    for name, array in weights.arrays.items():
        assert np.array_equal(array, saved.arrays[f"policy/{name}"])
    runner.send(Resume())
    wait_until(lambda: runner.latest.step > good + 10_000)
    reader = StoreReader(runner.folder.database)
    wait_until(lambda: len(reader.lineages()) == 2)
    assert [entry[0] for entry in kept_steps(reader.lineages())] == [1, 2]
    assert reader.lineages()[1].from_step == good
    events = [event for event in reader.events_after(0) if event.kind == "rollback"]
    assert "learning rate 0.02 -> 0.01" in events[0].text
    wait_until(lambda: 2 in reader.metrics_after(0).lineages)
    kept = reader.metrics_between()
    assert (np.diff(kept.first_steps) > 0).all()
    reader.close()


def test_without_a_healthy_checkpoint_nothing_happens(runner):
    step = paused(runner)
    runner.send(RollBack(-1, 0.5))
    reader = StoreReader(runner.folder.database)
    told = "no healthy checkpoint from before step -1"
    wait_until(lambda: told in [event.text for event in reader.events_after(0)])
    assert runner.latest.step == step
    reader.close()
