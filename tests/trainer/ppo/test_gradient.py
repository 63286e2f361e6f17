"""The plain gradient: against the kernel's, in parts, and recorded, when settings change meanwhile."""

import time
from dataclasses import replace

import pytest
import torch

from pufftui.envs.catalogue import load_env
from pufftui.envs.library import load_library
from pufftui.trainer.collecting.graphs import Recorded
from pufftui.trainer.collecting.graphs import recorded as recorded_or_plain
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


def session_of(library, memory, fused, train=TRAIN, agents=64, **policy):
    session = TrainingSession(
        Config(
            library.descriptor.name,
            {p.name: p.default for p in library.descriptor.parameters},
            train,
            PolicyConfig(**({"memory": memory, "hidden": 32} | policy)),
            VecConfig(agents=agents, threads=1),
            RunConfig(device="cpu"),
        ),
        library,
    )
    if not fused:
        session.learner.gradient._on_cpu = lambda rollout: False
        session.learner._in_calls = None
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


def gradients(session):
    """What the optimizer is given in one epoch, a dictionary by parameter for each minibatch."""
    given, step = [], session.learner.optimizer.step

    def note_and_step(numbers, *, recording=False):
        given.append({name: p.grad.clone() for name, p in session.policy.named_parameters()})
        return step(numbers, recording=recording)

    session.learner.optimizer.step = note_and_step
    session.learner._in_calls = None  # That takes its steps itself.
    assert run_epoch(session, lambda: False) is not None
    return given


@pytest.mark.parametrize("memory", ["none", "mingru"])
def test_it_is_the_gradient_of_the_kernel(memory):
    """The optimizer would make much of a rounding."""
    library = load_env("breakout")
    fused, plain = (session_of(library, memory, fused=fused) for fused in (True, False))
    for one, other in zip(gradients(fused), gradients(plain), strict=True):
        for name, gradient in one.items():
            near = 1e-5 * float(gradient.abs().max())
            torch.testing.assert_close(other[name], gradient, rtol=1e-4, atol=near, msg=name)


@pytest.mark.parametrize("most", [TRAIN.max_forward_size, 64])
@pytest.mark.parametrize(("game", "embedding"), [("breakout", 0), ("snake", 0), ("snake", 3)])
def test_its_noise_is_that_of_two_halves(game, embedding, most):
    """The kernel's of the first half of its two or four parts, and of as many minibatches by torch."""
    library, found, train = load_env(game), [], replace(TRAIN, max_forward_size=most)
    for fused in (True, False):
        session = session_of(library, "mingru", fused, train, embedding=embedding)
        report = run_epoch(session, lambda: False)
        assert report is not None
        found.append([report.figures[f"gradient_{name}"] for name in ("signal", "noise")])
    assert found[0] == pytest.approx(found[1], rel=2e-3)


NETWORKS = {
    "deep": ("breakout", {"layers": 3}),
    "odd": ("breakout", {"hidden": 33}),
    "single": ("cartpole", {"hidden": 1}),
    "normalised": ("cartpole", {"normalise": "on"}),
    "teams": ("shared_pool", {"normalise": "on"}),
    "looked up": ("snake", {"embedding": 0}),
    "looked up, wide": ("snake", {"embedding": 0, "hidden": 200}),
    "embedded": ("snake", {"embedding": 5, "memory": "none"}),
    "wide": ("enduro", {"hidden": 160}),
}


def assert_near(ones, others, share):
    """Two gradients by parameter differ by at most this share of their length; none is all zeros."""
    for name, gradient in ones.items():
        assert gradient.norm() > 0, name
        assert (others[name] - gradient).norm() <= share * gradient.norm(), name


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("network", NETWORKS)
def test_the_kernel_knows_every_such_network(network, precision):
    """In one call, of parts that are worked on in several pieces, and as torch finds it."""
    game, policy = NETWORKS[network]
    library = load_env(game)
    train = replace(TRAIN, minibatch_size=4096, precision=precision)
    agents = max(320 - 320 % library.descriptor.agents, library.descriptor.agents)
    options = {"memory": "mingru", "train": train, "agents": agents} | policy
    kernel, plain = (session_of(library, fused=fused, **options) for fused in (True, False))
    assert kernel.learner.gradient.in_one is not None
    share = 1e-4 if precision == "fp32" else 0.02
    # Bytes that were rounded otherwise are other actions: the first gradient is of the same rollout.
    assert_near(gradients(kernel)[0], gradients(plain)[0], share)


@pytest.mark.parametrize("flags", [(), ("-DCONTINUOUS",)])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_kernel_knows_actions_of_several_parts(compiler, flags, precision):
    library = load_library(compiler.library("tests/c/limbs.c", *flags))
    options = {"train": replace(TRAIN, entropy_coefficient=0.1, precision=precision), "agents": 96}
    kernel, plain = (session_of(library, "mingru", fused, **options) for fused in (True, False))
    assert kernel.learner.gradient.in_one is not None
    share = 1e-4 if precision == "fp32" else 0.02
    assert_near(gradients(kernel)[0], gradients(plain)[0], share)


def test_what_the_kernel_does_not_know_goes_another_way():
    others = [
        session_of(load_env("breakout"), "lstm", fused=True),
        session_of(load_env("snake"), "none", fused=True, convolution=4),
    ]
    for session in others:
        assert session.learner.gradient.in_one is None
        assert gradients(session)


@pytest.mark.parametrize("size", [16, 160, 4096])
def test_any_number_of_threads_works_on_its_parts_as_one_does(size):
    """One segment, an odd number of them, and more parts than may be under way."""
    library, found = load_env("breakout"), []
    for threads in (1, 2, 16):
        session = session_of(library, "mingru", fused=True)
        train = replace(session.config.train, minibatch_size=size, max_forward_size=64)
        session.config = replace(session.config, train=train)
        torch.set_num_threads(threads)
        found.append(gradients(session))
        assert torch.get_num_threads() == threads
    for others in found[1:]:
        for one, other in zip(found[0], others, strict=True):
            assert all(torch.equal(gradient, other[name]) for name, gradient in one.items())


def test_a_fault_in_a_part_is_reported_when_no_other_is_under_way(monkeypatch):
    session = session_of(load_env("breakout"), "lstm", fused=True)
    work, calls, done = session.learner.gradient, [], []

    def fail(part, moments, config):
        calls.append(part)
        if len(calls) == 1:
            raise RuntimeError(f"part of {len(part.rows)}")
        time.sleep(0.2)
        done.append(part)
        raise RuntimeError("the second")

    torch.set_num_threads(2)
    monkeypatch.setattr(work, "_loss_in_place", fail)
    with pytest.raises(RuntimeError, match="part of 8"):
        run_epoch(session, lambda: False)
    assert len(calls) == 2
    assert len(done) == 1
    assert torch.get_num_threads() == 2


def test_what_cannot_be_recorded_runs_as_it_is(monkeypatch):
    def fail(work, pool, warm_ups, stream):
        raise RuntimeError("operation not permitted\nwhen stream is capturing")

    monkeypatch.setattr("pufftui.trainer.collecting.graphs.record", fail)
    function, why = recorded_or_plain(torch.frexp, torch.ones(2))
    assert function is torch.frexp
    assert why == "operation not permitted"
