"""An update of few calls is the update that Python goes through minibatch by minibatch, to the byte."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pufftui.envs.catalogue import load_env
from pufftui.envs.library import load_library
from pufftui.trainer.ppo.cpu_update import CpuUpdate
from pufftui.trainer.ppo.update import Learner
from pufftui.trainer.settings.fields import Config, PolicyConfig, RunConfig, TrainConfig, VecConfig
from pufftui.trainer.training.epoch import run_epoch
from pufftui.trainer.training.session import TrainingSession

TRAIN = TrainConfig(
    horizon=16, minibatch_size=256, total_steps=200_000, replay_ratio=1.5, learning_rate=0.015
)
EPOCHS = 5
"""The gradient's noise is measured in the first one; after two, settings change."""


def session_of(library, *, agents=64, train=TRAIN, **policy):
    parameters = {p.name: p.default for p in library.descriptor.parameters}
    return TrainingSession(
        Config(
            library.descriptor.name,
            parameters,
            train,
            PolicyConfig(**({"memory": "mingru", "hidden": 32} | policy)),
            VecConfig(agents=agents, threads=2),
            RunConfig(device="cpu"),
        ),
        library,
    )


def trained(session):
    """The weights and the optimizer's state after some epochs, and the figures of each."""
    figures = []
    for epoch in range(EPOCHS):
        report = run_epoch(session, lambda: False)
        assert report is not None
        figures.append(report.figures)
        if epoch == 2:
            train = replace(session.config.train, clip=0.1, gamma=0.9, replay_ratio=1.0)
            session.config = replace(session.config, train=train)
    state = {name: tensor.numpy() for name, tensor in session.learner.optimizer.state().items()}
    return session.weights().arrays | state, figures


CASES = {
    "nothing to remember": ("breakout", {"memory": "none"}),
    "two layers": ("breakout", {"layers": 2}),
    "looked up": ("snake", {"agents": 256, "embedding": 0}),
    "embedded": ("snake", {"agents": 256, "embedding": 3}),
    "many agents": ("school", {"agents": 512, "normalise": "on"}),
    "all alike": ("breakout", {"train": replace(TRAIN, priority_alpha=0.0)}),
    "a scale that follows": ("cartpole", {"train": replace(TRAIN, reward_scale=0.5)}),
    "Adam": ("cartpole", {"train": replace(TRAIN, optimizer="adam", learning_rate=0.001)}),
    "odd parts": ("breakout", {"train": replace(TRAIN, minibatch_size=240, max_forward_size=64)}),
    "single segments": ("pong", {"train": replace(TRAIN, minibatch_size=16)}),
    "one minibatch": ("pong", {"train": replace(TRAIN, minibatch_size=1024, replay_ratio=1.0)}),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_the_same_to_the_byte(case):
    env, options = CASES[case]
    library = load_env(env)
    plain, other = (session_of(library, **options) for _ in range(2))
    assert isinstance(other.learner._in_calls, CpuUpdate)
    plain.learner._in_calls = None
    if "follows" in case:
        for session in (plain, other):
            session.learner.scaling = True
    assert_same(trained(plain), trained(other))


@pytest.mark.parametrize("flags", [(), ("-DCONTINUOUS",)])
def test_it_is_the_same_for_actions_of_several_parts(compiler, flags):
    library = load_library(compiler.library("tests/c/limbs.c", *flags))
    plain, other = (session_of(library) for _ in range(2))
    plain.learner._in_calls = None
    assert_same(trained(plain), trained(other))


def assert_same(ones, others):
    (arrays, figures), (found, told) = ones, others
    assert arrays.keys() == found.keys()
    assert not [name for name, array in arrays.items() if not np.array_equal(array, found[name])]
    for one, other in zip(figures, told, strict=True):
        assert one.keys() == other.keys()
        for name, figure in one.items():
            assert other[name] == pytest.approx(figure, rel=0, abs=0, nan_ok=True), name


def test_a_gradient_that_is_not_finite_is_left_out():
    session = session_of(load_env("cartpole"))
    assert run_epoch(session, lambda: False) is not None
    with torch.no_grad():
        session.policy.heads.bias[0] = float("nan")
    report = run_epoch(session, lambda: False)
    assert report.figures["finite"] == 0
    assert np.isfinite(session.weights().arrays["encoder.weight"]).all()


def test_it_stops_between_two_minibatches(monkeypatch):
    session = session_of(load_env("breakout"))
    assert run_epoch(session, lambda: False) is not None
    asked, at = [], [0]

    def interrupted():
        asked.append(1)
        return len(asked) > at[0]

    rollout = session.collector.collect(1.0, lambda: False)
    at[0] = 2
    learner: Learner = session.learner
    before = session.weights().arrays
    assert (
        learner._in_calls.learn(
            rollout, session.config.train, learner.chance, interrupted, scaling=False, probe=False
        )
        is None
    )
    assert len(asked) == 3
    after = session.weights().arrays
    assert any(not np.array_equal(array, after[name]) for name, array in before.items())
