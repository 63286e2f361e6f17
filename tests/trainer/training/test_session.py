"""What a session does before and between its epochs."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sessions import CONFIG, never

from pufftui.envs.catalogue import load_env
from pufftui.envs.library import load_library
from pufftui.trainer.arena import forward
from pufftui.trainer.training.epoch import run_epoch
from pufftui.trainer.training.session import TrainingSession


@pytest.fixture
def session():
    made = TrainingSession(CONFIG, load_env("breakout"))
    yield made
    made.close()


def copied(tensors):
    return {name: value.clone() for name, value in tensors.items()}


def test_a_new_policy_begins_with_what_random_play_shows(session):
    rollout = session.collector.collect(1.0, never)
    features = session.policy.features(rollout.observations, None)
    varied = features[..., session.policy.normaliser.scales > 0]
    assert session.observed.count.item() > 1000
    assert features.abs().max() <= 10
    assert varied[..., :9].mean(dim=(0, 1)).abs().max() < 2


def test_statistics_change_between_an_update_and_the_next_rollout_alone(session):
    before = copied(session.observed.state())
    rollout = session.collector.collect(1.0, never)
    for name, value in session.observed.state().items():
        assert torch.equal(value, before[name])
    seen = copied({"seen": rollout.observations, "alive": rollout.alive})
    session.restore(session.state())
    assert run_epoch(session, never)
    assert session.observed.count.item() == before["count"].item() + seen["alive"].sum().item()
    assert run_epoch(session, lambda: True) is None
    state = session.state()
    assert run_epoch(session, never)
    after = session.state()
    assert not np.array_equal(after["observed/means"], state["observed/means"])
    session.restore(state)
    back = session.state()
    for name in ("observed/means", "policy/normaliser.shifts", "policy/normaliser.scales"):
        assert np.array_equal(back[name], state[name])


def test_before_the_first_step_of_an_update_all_ratios_are_one(session):
    for _ in range(3):
        rollout = session.collector.collect(1.0, never)
        with torch.no_grad():
            heads, _ = session.policy.sequence(
                rollout.observations[:-1], rollout.state, rollout.resets
            )
            new, _ = session.collector.distribution.evaluate(heads[..., :-1], None, rollout.actions)
        torch.testing.assert_close(new, rollout.log_probabilities, rtol=1e-4, atol=1e-5)
        session.collector.advance()
        session.observed.learn(rollout.observations[:-1], rollout.alive)


def test_the_published_policy_is_the_one_that_plays_next(session):
    assert run_epoch(session, never)
    weights = session.weights()
    assert {array.dtype.name for array in weights.arrays.values()} == {"float32"}
    seen = session.collector.memory.observations[0]
    with torch.no_grad():
        outputs, *_ = session.policy.step(seen, session.policy.initial_state(64))
    found, *_ = forward.forward(
        weights, session.policy.descriptor, seen.numpy(), forward.initial_state(weights, 64)
    )
    np.testing.assert_allclose(found, outputs.numpy(), atol=2e-3)  # Its products are bfloat16.


def test_a_resumed_run_needs_no_look(session, monkeypatch):
    assert run_epoch(session, never)
    monkeypatch.setattr("pufftui.trainer.training.session.try_out", None)
    other = TrainingSession(CONFIG, load_env("breakout"), resumed=True)
    other.restore(session.state())
    for one in (session, other):
        assert run_epoch(one, never)
    for name, array in session.state().items():
        assert np.array_equal(array, other.state()[name], equal_nan=array.dtype.kind == "f"), name
    other.close()


def test_without_normalising_nothing_is_looked_at(monkeypatch):
    monkeypatch.setattr("pufftui.trainer.training.session.try_out", None)
    policy = replace(CONFIG.policy, normalise="off")
    session = TrainingSession(replace(CONFIG, policy=policy), load_env("breakout"))
    assert run_epoch(session, never)
    assert session.observed is None
    assert not [name for name in session.state() if "observed" in name or "normaliser" in name]
    session.close()


def test_recorded_decisions_follow_the_statistics(graphs):
    """On a GPU decisions are recorded once: what they read is changed where it is."""
    session = TrainingSession(
        replace(CONFIG, train=replace(CONFIG.train, horizon=4)), load_env("breakout")
    )
    session.collector.record([], None)
    assert graphs
    for _ in range(2):
        rollout = session.collector.collect(1.0, never)
        with torch.no_grad():
            heads, _ = session.policy.sequence(
                rollout.observations[:-1], rollout.state, rollout.resets
            )
        torch.testing.assert_close(heads[..., -1], rollout.values[:-1], rtol=1e-4, atol=1e-4)
        session.collector.advance()
        session.observed.learn(rollout.observations[:-1], rollout.alive)
    session.close()


@pytest.mark.parametrize("abi", [1, 2])
def test_a_library_of_an_older_interface_is_trained_with(compiler, abi):
    older = load_library(compiler.older_library("envs/breakout/breakout.c", abi))
    learned = []
    for library in (older, load_env("breakout")):
        made = TrainingSession(CONFIG, library)
        try:
            for _ in range(2):
                assert run_epoch(made, never)
            learned.append(made.weights().arrays)
        finally:
            made.close()
    assert learned[0].keys() == learned[1].keys()
    for name, array in learned[0].items():
        assert np.array_equal(array, learned[1][name])


@pytest.mark.parametrize("choice", ["on", "off"])
def test_bounds_hold_from_the_first_step_on(compiler, choice):
    library = load_library(compiler.library("tests/c/senses.c"))
    config = replace(
        CONFIG,
        parameters={"limit": 20.0},
        train=replace(CONFIG.train, precision="fp32"),
        policy=replace(CONFIG.policy, normalise=choice),
    )
    made = TrainingSession(config, library)
    try:
        assert (made.observed is not None) == (choice == "on")
        first = {name: value.clone() for name, value in made.policy.normaliser.state_dict().items()}
        rollout = made.collector.collect(1.0, never)
        features = made.policy.features(rollout.observations, None)
        for places in (slice(0, 3), slice(5, 6)):
            assert features[..., places].abs().max() < 1.0001
            assert features[..., places].std() > 0.5
        assert (features[..., 3:5].abs().max() > 10) == (choice == "off")
        made.collector.advance()
        state = made.state()
        assert run_epoch(made, never)
        for name, value in made.policy.normaliser.state_dict().items():
            changed = (value != first[name]).nonzero().flatten().tolist()
            assert changed == ([3, 4, 26, 27, 28] if choice == "on" else [])
        made.restore(state)
        weights = made.weights()
        seen = rollout.observations[0].numpy()
        heads, values, _ = forward.forward(
            weights, library.descriptor, seen, forward.initial_state(weights, len(seen))
        )
        with torch.no_grad():
            own, own_values, _ = made.policy.step(
                rollout.observations[0], made.policy.initial_state(len(seen))
            )
        np.testing.assert_allclose(heads, own.numpy(), rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(values, own_values.numpy(), rtol=1e-3, atol=1e-4)
    finally:
        made.close()
