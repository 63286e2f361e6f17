"""Learning on the smallest problems: choose, remember, and look past a time limit."""

import numpy as np
import pytest
import torch

from pufftui.envs.library import load_library
from pufftui.trainer.settings.fields import Config, PolicyConfig, RunConfig, TrainConfig, VecConfig
from pufftui.trainer.training.epoch import run_epoch
from pufftui.trainer.training.session import TrainingSession

BANDIT, RECALL, ENDLESS, BROKEN = range(4)
RECALLING = {"learning_rate": 0.02, "entropy_coefficient": 0.01, "gae_lambda": 1.0, "gamma": 1.0}


@pytest.fixture(scope="module")
def tasks(compiler):
    return load_library(compiler.library("tests/c/tasks.c"))


def learn(tasks, task, epochs, *, memory="none", precision="auto", enough=None, **train):
    """Trains for some epochs, or until the score is good enough; the session."""
    settings = TrainConfig(
        **{
            "horizon": 64,
            "minibatch_size": 1024,
            "total_steps": epochs * 64 * 64,
            "precision": precision,
            **train,
        }
    )
    session = TrainingSession(
        Config(
            "tasks",
            {"task": float(task)},
            settings,
            PolicyConfig(memory=memory, hidden=32),
            VecConfig(agents=64, threads=1),
            RunConfig(seed=1, device="cpu"),
        ),
        tasks,
    )
    for _ in range(epochs):
        run_epoch(session, lambda: False)
        if enough is not None and score(session) >= enough:
            break
    return session


def score(session):
    means = session.statistics.means()
    return means["score"] if means else float("-inf")


@pytest.mark.parametrize("optimizer", ["muon", "adam"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_bandit_is_learned(tasks, optimizer, precision):
    rate = 0.02 if optimizer == "muon" else 0.003
    session = learn(
        tasks, BANDIT, 60, optimizer=optimizer, learning_rate=rate, precision=precision, enough=0.98
    )
    assert score(session) >= 0.98


@pytest.mark.parametrize("memory", ["mingru", "lstm"])
def test_a_cue_is_recalled_after_thirty_steps_with_memory(tasks, memory):
    session = learn(tasks, RECALL, 400, memory=memory, enough=0.95, **RECALLING)
    assert score(session) >= 0.95


def test_a_cue_is_not_recalled_without_memory(tasks):
    session = learn(tasks, RECALL, 100, **RECALLING)
    assert abs(score(session)) < 0.2


@pytest.mark.parametrize("horizon", [8, 32])
def test_a_time_limit_is_not_a_death(tasks, horizon):
    gamma = 0.9
    session = learn(
        tasks,
        ENDLESS,
        60,
        horizon=horizon,
        gamma=gamma,
        gae_lambda=0.9,
        optimizer="adam",
        learning_rate=0.01,
        value_clip=1e6,
        total_steps=60 * 64 * horizon,
    )
    seen = np.array([[0, 0, 1]], np.float32).view(np.uint8)
    with torch.no_grad():
        _, values, _ = session.policy.step(torch.from_numpy(seen), session.policy.initial_state(1))
    assert values.item() == pytest.approx(0.5 / (1 - gamma), rel=0.05)


def test_numbers_that_are_not_finite_are_traced_and_change_no_weight(tasks):
    session = learn(tasks, BROKEN, 1)
    good = session.weights()
    report = run_epoch(session, lambda: False)
    assert report.figures["finite"] == 0
    assert session.not_finite() == "observation seen[2] of agent 0 in environment 0"
    for name, array in session.weights().arrays.items():
        assert np.array_equal(array, good.arrays[name]), name
