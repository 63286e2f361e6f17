"""Learning from a rollout while the next one is collected (`train.overlap`)."""

from dataclasses import fields, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sessions import CONFIG, never

from pufftui.envs.catalogue import load_env
from pufftui.envs.errors import PuffError
from pufftui.envs.library import load_library
from pufftui.trainer.collecting.collector import Collector
from pufftui.trainer.collecting.rollout import Rollout, Storage
from pufftui.trainer.network.normaliser import numbers
from pufftui.trainer.settings.fields import TrainConfig
from pufftui.trainer.training.ahead import Ahead
from pufftui.trainer.training.epoch import run_epoch
from pufftui.trainer.training.session import TrainingSession

OVERLAPPING = replace(CONFIG, train=replace(CONFIG.train, overlap="on"))


@pytest.fixture
def made():
    sessions = []

    def make(config=OVERLAPPING):
        sessions.append(TrainingSession(config, load_env("breakout")))
        return sessions[-1]

    yield make
    for session in sessions:
        session.close()


def assert_same_state(one, other):
    theirs = other.state()
    for name, array in one.state().items():
        assert np.array_equal(array, theirs[name], equal_nan=array.dtype.kind == "f"), name


def test_the_next_rollout_is_played_by_the_policy_of_before(made):
    session, twin = made(), made(CONFIG)
    before = session.weights()
    assert run_epoch(session, never)
    assert any(
        (array != before.arrays[name]).any() for name, array in session.weights().arrays.items()
    )
    for _ in range(2):
        played = twin.collector.collect(1.0, never)
        twin.collector.advance()
    for name in ("actions", "log_probabilities", "values", "rewards", "state"):
        assert torch.equal(getattr(session.ahead.rollout, name), getattr(played, name)), name


def test_each_rollout_is_learned_from_once_and_counted_then(made):
    session = made()
    for epoch in range(1, 4):
        assert run_epoch(session, never)
        assert session.step == epoch * 16 * 64
        assert session.vector.drain().count == 0, "all of it is in the figures"


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("memory", ["none", "mingru", "lstm"])
def test_learning_before_and_after_the_next_is_played_is_the_same(
    made, monkeypatch, memory, precision
):
    """A GPU begins to learn and then plays: it learns from a copy, and decides by weights of before."""
    policy = replace(CONFIG.policy, memory=memory)
    train = replace(OVERLAPPING.train, precision=precision)
    after, before = (made(replace(OVERLAPPING, policy=policy, train=train)) for _ in range(2))
    for session in (after, before):
        session.collector = Collector(
            *(session.vector, session.policy, 16, session.generator, session.clock),
            Storage.DEVICE,
        )
    monkeypatch.setattr(Ahead, "at_once", property(lambda ahead: ahead is before.ahead))
    for _ in range(4):
        assert run_epoch(after, never).figures == run_epoch(before, never).figures
    assert_same_state(after, before)


def test_a_run_goes_on_from_its_state_as_if_nothing_had_been(made):
    """What was collected ahead is dropped where the state is looked at, here and there."""
    session, other = made(), made()
    for _ in range(3):
        assert run_epoch(session, never)
    other.restore(session.state())
    for _ in range(3):
        assert run_epoch(session, never).figures == run_epoch(other, never).figures
    assert_same_state(session, other)


def test_an_interrupted_epoch_can_be_undone(made):
    session = made()
    assert run_epoch(session, never)
    before = session.state()
    calls = iter(range(100))
    assert run_epoch(session, lambda: next(calls) >= 2) is None
    session.restore(before)
    assert session.ahead.rollout is None
    assert run_epoch(session, never)
    assert session.step == 2 * 16 * 64


def test_a_rollout_that_is_kept_is_a_copy(made):
    session = made(CONFIG)
    rollout = session.collector.collect(1.0, never)
    copies = {f.name: getattr(rollout, f.name).clone() for f in fields(Rollout)}
    ahead = Ahead(session.device)
    ahead.keep(rollout)
    first = [tensor.data_ptr() for tensor in ahead.rollout.tensors()]
    session.collector.advance()
    assert session.collector.collect(1.0, never)
    for name, tensor in copies.items():
        assert torch.equal(getattr(ahead.rollout, name), tensor), name
    ahead.keep(rollout)
    assert [tensor.data_ptr() for tensor in ahead.rollout.tensors()] == first


def test_what_is_kept_follows_the_reward_scale(made):
    session = made(CONFIG)
    ahead = Ahead(session.device)
    ahead.follow(2.0, 1.0, 5.0)
    rollout = session.collector.collect(1.0, never)
    values, unclipped = rollout.values.clone(), rollout.unclipped.clone()
    ahead.keep(rollout)
    ahead.follow(2.0, 0.25, 0.5)
    torch.testing.assert_close(ahead.rollout.values, 2 * (values + 0.25))
    torch.testing.assert_close(ahead.rollout.unclipped, 2 * unclipped)
    torch.testing.assert_close(ahead.rollout.rewards, (2 * unclipped).clamp(-0.5, 0.5))


def test_what_is_not_finite_is_traced_to_what_was_learned_from(compiler):
    """The collector has played on meanwhile."""
    config = replace(OVERLAPPING, env="tasks", parameters={"task": 3.0})
    session = TrainingSession(config, load_library(compiler.library("tests/c/tasks.c")))
    for _ in range(12):
        report = run_epoch(session, never)
        if report.figures["finite"] < 1:
            break
    assert report.figures["finite"] < 1
    found = session.ahead.rollout
    assert not torch.isfinite(
        numbers(session.policy.descriptor.fields[0], found.observations)
    ).all()
    assert session.not_finite().startswith("observation seen[2] of agent 0")
    session.close()


def test_several_processes_take_turns():
    ranks = SimpleNamespace(rank=0, size=2, local=0, local_size=1)
    with pytest.raises(PuffError, match="one process"):
        TrainingSession(OVERLAPPING, load_env("breakout"), ranks)


def test_it_learns(compiler):
    """A bandit, which pays for one of its actions."""
    train = TrainConfig(
        minibatch_size=1024, total_steps=80 * 64 * 64, learning_rate=0.02, overlap="on"
    )
    config = replace(OVERLAPPING, env="tasks", parameters={"task": 0.0}, train=train)
    session = TrainingSession(config, load_library(compiler.library("tests/c/tasks.c")))
    for _ in range(80):
        assert run_epoch(session, never)
    assert session.statistics.means()["score"] >= 0.98
    session.close()
