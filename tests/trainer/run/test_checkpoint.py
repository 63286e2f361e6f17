"""Checkpoint files: whole or recognised as torn, and enough to go on bit by bit."""

from dataclasses import replace

import numpy as np
import pytest

from pufftui.envs.catalogue import load_env
from pufftui.envs.errors import PuffError
from pufftui.trainer.run.checkpoint import best_checkpoint, read_checkpoint, write_checkpoint
from pufftui.trainer.settings.fields import Config, PolicyConfig, RunConfig, TrainConfig, VecConfig
from pufftui.trainer.training.epoch import run_epoch
from pufftui.trainer.training.session import TrainingSession

ARRAYS = {
    "policy/weight": np.arange(12, dtype=np.float32).reshape(3, 4),
    "environments": np.frombuffer(b"bytes of games", np.uint8),
    "progress": np.array([7, 8]),
}


def test_round_trip(tmp_path):
    path = tmp_path / "folder" / "a.npz"
    write_checkpoint(path, ARRAYS, {"step": 7, "reason": "ü"})
    arrays, description = read_checkpoint(path)
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert np.array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype
    assert description["step"] == 7
    assert description["reason"] == "ü"
    assert [file.name for file in path.parent.iterdir()] == ["a.npz"]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_torn_file_is_recognised(tmp_path, share):
    path = tmp_path / "a.npz"
    write_checkpoint(path, ARRAYS, {})
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(PuffError, match="not a whole checkpoint"):
        read_checkpoint(path)


def test_a_flipped_bit_is_recognised(tmp_path):
    path = tmp_path / "a.npz"
    big = {"weights": np.random.default_rng(0).normal(size=1000)}
    write_checkpoint(path, big, {})
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    with pytest.raises(PuffError, match="not a whole checkpoint"):
        read_checkpoint(path)


def test_a_folder_that_refuses_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PuffError, match="could not be written"):
        write_checkpoint(tmp_path / "file" / "a.npz", ARRAYS, {})


def config(env, memory, seed=3):
    return Config(
        env,
        {},
        TrainConfig(horizon=16, minibatch_size=256, total_steps=100_000),
        PolicyConfig(memory=memory, hidden=32),
        VecConfig(agents=64, threads=2),
        RunConfig(seed=seed, device="cpu"),
    )


def run(session, epochs):
    reports = [run_epoch(session, lambda: False) for _ in range(epochs)]
    return [(report.figures, report.episodes.sums.tolist()) for report in reports]


@pytest.mark.parametrize("env", ["squared", "breakout"])
@pytest.mark.parametrize("memory", ["none", "mingru", "lstm"])
def test_a_restored_session_goes_on_bit_by_bit(tmp_path, env, memory):
    library = load_env(env)
    never_stopped = TrainingSession(config(env, memory), library)
    run(never_stopped, 3)
    write_checkpoint(tmp_path / "a.npz", never_stopped.state(), {})
    restored = TrainingSession(config(env, memory, seed=99), library)
    run(restored, 1)
    assert restored.restore(read_checkpoint(tmp_path / "a.npz")[0])
    assert (restored.step, restored.epoch) == (never_stopped.step, never_stopped.epoch)
    assert run(restored, 3) == run(never_stopped, 3)
    one, two = never_stopped.state(), restored.state()
    assert one.keys() == two.keys()
    for name, array in one.items():
        assert np.array_equal(array, two[name]), name


def test_games_of_another_build_begin_anew_and_the_policy_goes_on():
    library = load_env("squared")
    session = TrainingSession(config("squared", "mingru"), library)
    run(session, 2)
    changed = replace(library, build=b"another")
    other = TrainingSession(config("squared", "mingru", seed=99), changed)
    fresh = other.state()
    assert not other.restore(session.state())
    kept, now = session.state(), other.state()
    for name, array in now.items():
        anew = name.startswith(("rollout/", "environments", "build"))
        assert np.array_equal(array, (fresh if anew else kept)[name]), name
    assert not np.array_equal(kept["environments"], now["environments"])
    assert other.step == session.step
    run(other, 2)


def test_an_interrupted_epoch_leaves_no_trace_after_restoring(tmp_path):
    library = load_env("squared")
    session = TrainingSession(config("squared", "mingru"), library)
    twin = TrainingSession(config("squared", "mingru"), library)
    for each in (session, twin):
        run(each, 2)
    boundary = session.state()
    if session.collector._steps is not None:
        session.collector._steps._job.patience = 0.0  # It asks after every step.
    calls = iter(range(1000))
    assert run_epoch(session, lambda: next(calls) > 18) is None
    session.restore(boundary)
    assert run(session, 2) == run(twin, 2)


def test_the_best_checkpoint_is_the_one_with_the_best_score(tmp_path):
    assert best_checkpoint(tmp_path) is None
    scores = {1: None, 2: 3.0, 3: 9.0, 4: 9.0, 5: 1.0}
    for step, score in scores.items():
        description = {"step": step, "score": score, "epoch": 1, "seconds": 1.0, "config": ""}
        write_checkpoint(tmp_path / f"step-{step:014d}.npz", {"policy/a": np.ones(2)}, description)
    best = best_checkpoint(tmp_path)
    assert best is not None
    assert best.description["step"] == 4
    # A torn one is passed over, and only what is asked for is read.
    best.path.write_bytes(best.path.read_bytes()[:50])
    best = best_checkpoint(tmp_path, "other/")
    assert best is not None
    assert (best.description["step"], best.arrays) == (3, {})
