"""The runner with real training: how a run begins, is steered, ends, fails and is killed."""

import gc
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pufftui.envs.catalogue import load_env
from pufftui.envs.errors import PuffError
from pufftui.trainer.messages.command import Checkpoint, Pause, Resume, SetField, Stop, UndoChange
from pufftui.trainer.messages.snapshot import LOSSES, Phase
from pufftui.trainer.ppo.update import Learner
from pufftui.trainer.run.checkpoint import newest_checkpoint, read_checkpoint
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.runner import Runner
from pufftui.trainer.settings.fields import (
    Config,
    PolicyConfig,
    RunConfig,
    TrainConfig,
    VecConfig,
    with_live_change,
)
from pufftui.trainer.settings.sources import restore_config
from pufftui.trainer.store import StoreReader

SMALL = Config(
    "squared",
    {},
    TrainConfig(horizon=16, minibatch_size=256, total_steps=20_480),
    PolicyConfig(memory="mingru", hidden=16),
    VecConfig(agents=64),
    RunConfig(device="cpu", keep_checkpoints=2),
)
START = r"The start took \d+\.\d\d s: program .*, torch .*, policy and environments .*, checkpoint .*, first epoch .*\."
ENDLESS = replace(SMALL, train=replace(SMALL.train, total_steps=10**12))


@pytest.fixture
def start(tmp_path, monkeypatch):
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path))
    runners = []

    def begin(config):
        runner = Runner(config, RunFolder.create("", config.env), load_env(config.env))
        runner.start()
        runners.append(runner)
        return runner

    yield begin
    for runner in runners:
        runner.send(Stop())
        assert runner.join(30)


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def test_a_run_to_the_end(start):
    runner = start(SMALL)
    assert runner.latest.phase is Phase.STARTING
    assert runner.join(60)
    last = runner.latest
    assert last.phase is Phase.FINISHED, last.failure
    assert last.step == 20_480
    assert last.epoch == 20
    assert set(last.losses) == set(LOSSES)
    assert last.episodes > 100
    assert 0 <= last.score <= 1
    assert last.score_interval[0] <= last.score <= last.score_interval[1]
    assert sum(last.time_shares.values()) == pytest.approx(1)
    assert runner.weights.step == 20_480
    arrays, description = read_checkpoint(runner.folder.checkpoints / "step-00000000020480.npz")
    assert description["step"] == 20_480
    for name, array in runner.weights.arrays.items():
        assert np.array_equal(array, arrays[f"policy/{name}"])
        assert not array.flags.writeable
    assert re.search(START, runner.folder.log.read_text(encoding="utf-8"))
    reader = StoreReader(runner.folder.database)
    rows = reader.metrics_after(0)
    assert rows.steps[-1] == 20_480
    assert {"score", "sps", "time_env", *LOSSES} <= set(rows.values)
    kinds = [event.kind for event in reader.events_after(0)]
    assert kinds[0] == "checkpoint"
    assert kinds[-1] == "stop"
    reader.close()


def test_a_fast_run_has_a_row_for_each_of_its_few_epochs(start):
    runner = start(SMALL)
    assert runner.join(60)
    reader = StoreReader(runner.folder.database)
    steps = reader.metrics_between().last_steps.tolist()
    reader.close()
    assert steps == list(range(1024, 20_480 + 1, 1024))


def test_pause_checkpoint_resume_stop(start):
    runner = start(ENDLESS)
    wait_for(lambda: runner.latest.step > 0)
    runner.send(Pause())
    wait_for(lambda: runner.latest.phase is Phase.PAUSED)
    step = runner.latest.step
    runner.send(Checkpoint())
    wait_for(lambda: runner.latest.checkpoint_step == step)
    time.sleep(0.3)
    assert runner.latest.step == step
    assert runner.latest.phase is Phase.PAUSED
    runner.send(Resume())
    wait_for(lambda: runner.latest.step > step)
    runner.send(Stop())
    assert runner.join(10)
    assert runner.latest.phase is Phase.INTERRUPTED
    assert runner.latest.checkpoint_step == runner.latest.step


def test_stop_while_paused(start):
    runner = start(ENDLESS)
    runner.send(Pause())
    wait_for(lambda: runner.latest.phase is Phase.PAUSED)
    runner.send(Stop())
    assert runner.join(10)
    assert runner.latest.phase is Phase.INTERRUPTED


def test_only_the_newest_and_the_best_checkpoints_stay(start):
    runner = start(ENDLESS)
    for _ in range(5):
        step = runner.latest.step
        wait_for(lambda step=step: runner.latest.step > step)
        runner.send(Checkpoint())
        wait_for(lambda step=step: (runner.latest.checkpoint_step or 0) > step)
    runner.send(Stop())
    assert runner.join(10)
    kept = sorted(path.name for path in runner.folder.checkpoints.iterdir())
    assert kept[-1] == f"step-{runner.latest.step:014d}.npz"
    assert 2 <= len(kept) <= 3


def test_a_long_epoch_is_not_waited_for(start, monkeypatch):
    learning, update = threading.Event(), Learner.update

    def told(*args, **options):
        learning.set()
        return update(*args, **options)

    monkeypatch.setattr(Learner, "update", told)
    # Some hundred thousand minibatches.
    slow = replace(ENDLESS, train=replace(ENDLESS.train, replay_ratio=100, minibatch_size=16))
    slow = replace(slow, vec=VecConfig(agents=4096))
    runner = start(slow)
    assert learning.wait(60)
    runner.send(Stop())
    assert runner.join(60)
    assert runner.latest.phase is Phase.INTERRUPTED
    assert runner.latest.step == runner.latest.checkpoint_step == 0


def test_the_same_seed_is_the_same_run(start):
    first, second = start(SMALL), start(SMALL)
    assert first.join(60)
    assert second.join(60)
    for name, array in first.weights.arrays.items():
        assert np.array_equal(array, second.weights.arrays[name]), name


def test_the_search_for_cycles_is_short_while_training_goes_on(start):
    """What was loaded is left out of it, and found again afterwards."""
    loaded = len(gc.get_objects())
    runner = start(ENDLESS)
    wait_for(lambda: runner.latest.step > 0)
    assert len(gc.get_objects()) < loaded / 4
    runner.send(Stop())
    assert runner.join(30)
    assert len(gc.get_objects()) > loaded / 2


def test_threads_take_short_turns_at_the_interpreter(start):
    """The trainer's next call would else wait for most of a redraw."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.005)
    try:
        assert start(SMALL).join(60)
        assert sys.getswitchinterval() <= 2e-4
    finally:
        sys.setswitchinterval(before)


def test_a_failure_is_told_and_logged(start):
    impossible = replace(SMALL, run=replace(SMALL.run, device="cuda:7"))
    runner = start(impossible)
    assert runner.join(60)
    assert runner.latest.phase is Phase.FAILED
    assert "cuda:7" in runner.latest.failure or "GPU 7" in runner.latest.failure
    assert runner.latest.failure_hint
    assert runner.folder.log.read_text()
    assert events_of(runner)[-1][0] == "failed"


def test_a_gpu_with_too_little_memory_is_told_in_words(start, monkeypatch):
    def fail(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has")

    monkeypatch.setattr("pufftui.trainer.training.session.Collector", fail)
    runner = start(SMALL)
    assert runner.join(30)
    assert runner.latest.phase is Phase.FAILED
    assert runner.latest.failure == "This run needs more memory than the GPU has (20.00 GiB more)."
    assert "--vec.agents" in runner.latest.failure_hint


def test_live_changes_are_made_stored_and_kept(start, monkeypatch):
    monkeypatch.setattr("pufftui.trainer.training.obey.FRESH", 0.0)
    runner = start(ENDLESS)
    wait_for(lambda: runner.latest.step > 0)
    runner.send(SetField("train.learning_rate", 0.001))
    wait_for(lambda: (runner.latest.learning_rate or 1) <= 0.001)
    runner.send(SetField("train.horizon", 32))
    runner.send(SetField("train.clip", -1.0))
    runner.send(Stop())
    assert runner.join(10)
    told = events_of(runner)
    change = told.index(("change", "train.learning_rate 0.03 -> 0.001"))
    assert told[change - 1][0] == "checkpoint"
    assert "before a change" in told[change - 1][1]
    # At the start, before the change and at the end: what is refused writes none.
    assert [kind for kind, _ in told].count("checkpoint") == 3
    saved, _ = newest_checkpoint(runner.folder.checkpoints)
    config = restore_config(saved.description["config"], file=saved.path, flags={})
    assert config.train.learning_rate == 0.001
    assert config.train.horizon == 16


def test_changes_are_undone_one_after_the_other(start):
    runner = start(ENDLESS)
    wait_for(lambda: runner.latest.step > 0)
    for change in (
        SetField("train.gamma", 0.9),
        SetField("train.learning_rate", 0.001),
        SetField("train.gamma", 2.0),
        SetField("train.gamma", 0.8),
        UndoChange(),
        UndoChange(),
        UndoChange(),
        UndoChange(),
        Stop(),
    ):
        runner.send(change)
    assert runner.join(10)
    told = [text for kind, text in events_of(runner) if kind in ("change", "note", "error")]
    assert [text for text in told if "->" in text] == [
        "train.gamma 0.995 -> 0.9",
        "train.learning_rate 0.03 -> 0.001",
        "train.gamma 0.9 -> 0.8",
        "train.gamma 0.8 -> 0.9",
        "train.learning_rate 0.001 -> 0.03",
        "train.gamma 0.9 -> 0.995",
    ]
    assert "no changed setting to change back" in told[-1]


def events_of(runner):
    reader = StoreReader(runner.folder.database)
    events = [(event.kind, event.text) for event in reader.events_after(0)]
    reader.close()
    return events


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("train.horizon", 32, "cannot change while training"),
        ("train.clp", 0.1, "Did you mean train.clip?"),
        ("train.clip", -1, "from 0.001 to 10"),
    ],
)
def test_live_changes_that_do_not_fit_are_refused(path, value, says):
    with pytest.raises(PuffError, match=says):
        with_live_change(SMALL, path, value)


PROGRAM = """
from dataclasses import replace
from pathlib import Path
from test_runner import ENDLESS
from pufftui.envs.catalogue import load_env
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.runner import Runner
runner = Runner(ENDLESS, RunFolder.create("killed", "squared"), load_env("squared"))
runner.start()
while not runner.join(0.01):
    if runner.latest.step:
        print(runner.latest.seconds, flush=True)
"""


def test_a_killed_run_keeps_what_is_older_than_two_seconds(tmp_path):
    environment = os.environ | {
        "PUFFTUI_RUNS": str(tmp_path),
        "PYTHONPATH": str(Path(__file__).parent),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, text=True
    )
    folder = RunFolder(tmp_path / "killed")
    try:
        # By its own clock it has trained for some seconds.
        began = float(process.stdout.readline())
        seconds = next(told for line in process.stdout if (told := float(line)) > began + 4)
        wait_for(lambda: any(folder.checkpoints.glob("step-*.npz")), 90)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    reader = StoreReader(folder.database)
    rows = reader.metrics_after(0)
    reader.close()
    assert rows.seconds[-1] > seconds - 2
    assert np.all(np.diff(rows.steps) > 0)
    read_checkpoint(max(folder.checkpoints.glob("step-*.npz")))
