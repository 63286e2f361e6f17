"""The plain gradient: against the kernel's, in parts, and recorded, when settings change meanwhile."""

from dataclasses import replace

import pytest
import torch

from pufftui.envs.catalogue import load_env
from pufftui.envs.library import load_library
from pufftui.trainer.ppo.graphs import Recorded
from pufftui.trainer.ppo.graphs import recorded as recorded_or_plain
from pufftui.trainer.settings.fields import Config, PolicyConfig, RunConfig, TrainConfig, VecConfig
from pufftui.trainer.training.epoch import run_epoch
from pufftui.trainer.training.session import TrainingSession

TRAIN = TrainConfig(
    horizon=16,
    minibatch_size=256,
    total_steps=200_000,
    replay_ratio=1.0,
    learning_rate=0.015,
    precision="fp32",
)


def session_of(library, memory, fused):
    session = TrainingSession(
        Config(
            library.descriptor.name,
            {p.name: p.default for p in library.descriptor.parameters},
            TRAIN,
            PolicyConfig(memory=memory, hidden=32),
            VecConfig(agents=64, threads=1),
            RunConfig(device="cpu"),
        ),
        library,
    )
    if not fused:
        session.learner.gradient._in_place = lambda rollout: False
    return session


def trained(session, epochs=4):
    """The weights after some epochs between which settings change."""
    for epoch in range(epochs):
        assert run_epoch(session, lambda: False) is not None
        train = replace(session.config.train, clip=0.2 / (epoch + 2), entropy_coefficient=0.01)
        session.config = replace(session.config, train=train)
    return session.weights().arrays


def assert_same(ones, others):
    for name, array in ones.items():
        one, other = torch.from_numpy(array.copy()), torch.from_numpy(others[name].copy())
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4, msg=name)


def recorded(session):
    """As on a GPU, with one recording for every number of segments."""
    gradient, kept = session.learner.gradient.gathered, {}

    def work(segments, inputs):
        if segments not in kept:
            kept[segments] = Recorded(gradient._gradient, *inputs)
        return kept[segments]

    gradient._work = work
    return kept


@pytest.mark.parametrize("memory", ["none", "mingru", "lstm"])
def test_recording_changes_nothing(memory, graphs):
    library = load_env("breakout")
    plain, other = (session_of(library, memory, fused=False) for _ in range(2))
    kept = recorded(other)
    assert_same(trained(other), trained(plain))
    # Sixteen segments a minibatch; the first one is halved for the gradient's noise.
    assert sorted(kept) == [8, 16]


def test_recording_changes_nothing_for_continuous_actions(compiler, graphs):
    library = load_library(compiler.library("tests/c/limbs.c", "-DCONTINUOUS"))
    plain, other = (session_of(library, "mingru", fused=False) for _ in range(2))
    recorded(other)
    assert_same(trained(other), trained(plain))


@pytest.mark.parametrize("memory", ["none", "mingru"])
def test_it_is_the_gradient_of_the_kernel(memory):
    library = load_env("breakout")
    fused, plain = (session_of(library, memory, fused=fused) for fused in (True, False))
    assert_same(trained(plain, 1), trained(fused, 1))


def test_what_cannot_be_recorded_runs_as_it_is(monkeypatch):
    def fail(work, pool, warm_ups):
        raise RuntimeError("operation not permitted\nwhen stream is capturing")

    monkeypatch.setattr("pufftui.trainer.ppo.graphs.record", fail)
    function, why = recorded_or_plain(torch.frexp, torch.ones(2))
    assert function is torch.frexp
    assert why == "operation not permitted"
