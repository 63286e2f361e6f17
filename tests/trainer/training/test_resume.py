"""Runs that go on: bit-equal to one that never stopped, past torn files, past the first end."""

import time
from dataclasses import replace

import numpy as np
import pytest

from pufftui.envs.catalogue import load_env
from pufftui.trainer.messages.command import Stop
from pufftui.trainer.messages.snapshot import Phase
from pufftui.trainer.run.checkpoint import newest_checkpoint, read_checkpoint
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.run.policies import weights_from
from pufftui.trainer.runner import Runner
from pufftui.trainer.settings.fields import (
    REWARD_SCALE,
    Config,
    PolicyConfig,
    RunConfig,
    TrainConfig,
    VecConfig,
)
from pufftui.trainer.settings.sources import config_to_toml, restore_config
from pufftui.trainer.store import StoreReader

CONFIG = Config(
    "breakout",
    {},
    TrainConfig(horizon=16, minibatch_size=256, total_steps=61_440),
    PolicyConfig(memory="mingru", hidden=16),
    VecConfig(agents=64),
    RunConfig(device="cpu"),
)


@pytest.fixture(autouse=True)
def runs(tmp_path, monkeypatch):
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path))


def train(config, folder, saved=None, stop_at=None):
    runner = Runner(config, folder, load_env(config.env), saved)
    runner.start()
    end = time.monotonic() + 60
    while not runner.join(0.001) and time.monotonic() < end:
        if stop_at is not None and runner.latest.step >= stop_at:
            runner.send(Stop())
    assert runner.latest.phase.ended
    assert runner.latest.phase is not Phase.FAILED, runner.latest.failure
    return runner.latest


def resume(folder, **flags):
    folder.lock()
    saved, passed_over = newest_checkpoint(folder.checkpoints)
    assert saved is not None
    config = restore_config(saved.description["config"], file=saved.path, flags=flags)
    return train(config, folder, saved), passed_over


def last_arrays(folder, step):
    return read_checkpoint(folder.checkpoints / f"step-{step:014d}.npz")[0]


@pytest.mark.parametrize(
    ("memory", "normalise", "chosen"),
    [
        ("none", "off", ()),
        ("mingru", "off", ()),
        ("lstm", "off", ()),
        ("mingru", "on", (REWARD_SCALE,)),
    ],
)
def test_a_resumed_run_is_bit_equal_to_one_that_never_stopped(memory, normalise, chosen):
    policy = PolicyConfig(memory, hidden=16, normalise=normalise)
    config = replace(CONFIG, policy=policy, chosen=frozenset(chosen))
    whole, parted = RunFolder.create("whole", "breakout"), RunFolder.create("parted", "breakout")
    expected = train(config, whole)
    stopped = train(config, parted, stop_at=20_000)
    assert stopped.phase is Phase.INTERRUPTED
    assert 0 < stopped.step < expected.step
    last, _ = resume(parted)
    assert last.phase is Phase.FINISHED
    assert last.step == expected.step
    assert last.losses == expected.losses
    assert last.score == expected.score
    assert last.seconds > stopped.seconds
    one, two = last_arrays(whole, expected.step), last_arrays(parted, expected.step)
    assert one.keys() == two.keys()
    for name, array in one.items():
        assert np.array_equal(array, two[name]), name
    statistics = {name: array for name, array in one.items() if name.startswith("observed/")}
    assert {array.dtype.name for array in statistics.values()} == (
        {"float64"} if normalise == "on" else set()
    )


def test_the_policy_of_a_checkpoint_is_the_one_that_was_published():
    folder = RunFolder.create("it", "breakout")
    runner = Runner(replace(CONFIG, chosen=frozenset({REWARD_SCALE})), folder, load_env("breakout"))
    runner.start()
    assert runner.join(60)
    assert newest_checkpoint(folder.checkpoints)[0].description["reward_scale"] != 1.0
    weights = weights_from(newest_checkpoint(folder.checkpoints, "policy/")[0])
    for name, array in runner.weights.arrays.items():
        assert np.array_equal(weights.arrays[name], array), name


def test_a_torn_checkpoint_is_passed_over():
    folder = RunFolder.create("torn", "breakout")
    stopped = train(CONFIG, folder, stop_at=20_000)
    newest = folder.checkpoints / f"step-{stopped.step:014d}.npz"
    newest.write_bytes(newest.read_bytes()[:-1000])
    last, passed_over = resume(folder)
    assert len(passed_over) == 1
    assert newest.name in passed_over[0]
    assert last.phase is Phase.FINISHED
    # The store shows that the run began again from the older checkpoint.
    reader = StoreReader(folder.database)
    starts = [event.step for event in reader.events_after(0) if event.kind == "start"]
    reader.close()
    assert starts == [0, 0]


def test_more_steps_extend_a_finished_run():
    folder = RunFolder.create("longer", "breakout")
    assert train(CONFIG, folder).phase is Phase.FINISHED
    last, _ = resume(folder, **{"train.total_steps": "80k"})
    assert last.phase is Phase.FINISHED
    assert last.step >= 80_000
    assert last.total_steps == 80_000
    reader = StoreReader(folder.database)
    (told,) = [event for event in reader.events_after(0) if event.kind == "change"]
    rates = reader.metrics_after(0).values["learning_rate"]
    reader.close()
    assert told.text.startswith("61,440 -> 80,000 steps: the learning rate jumps from 0 to 0.00")
    assert told.step == 61_440
    assert rates[-1] < rates.max()


def test_another_machine_is_named():
    folder = RunFolder.create("moved", "breakout")
    train(CONFIG, folder, stop_at=10_000)
    folder.lock()
    saved, _ = newest_checkpoint(folder.checkpoints)
    moved = replace(saved, description=saved.description | {"processor": "Z80", "threads": 99})
    train(CONFIG, folder, moved)
    reader = StoreReader(folder.database)
    notes = [event.text for event in reader.events_after(0) if event.kind == "note"]
    reader.close()
    assert len(notes) == 1
    assert "Z80" in notes[0]
    assert "threads 99" in notes[0]


def test_the_config_comes_back_from_a_checkpoint(tmp_path):
    text = config_to_toml(CONFIG)
    assert restore_config(text, file=tmp_path, flags={}) == CONFIG
    longer = restore_config(text, file=tmp_path, flags={"train.total_steps": "1M"})
    assert longer == replace(CONFIG, train=replace(CONFIG.train, total_steps=1_000_000))
