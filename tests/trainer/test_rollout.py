"""A rollout is the same however it is collected: in one group or several, at once or staged."""

from dataclasses import fields

import pytest
import torch

from pufftui.envs.catalogue import load_env
from pufftui.envs.vector import VectorEnv
from pufftui.trainer.clock import Clock
from pufftui.trainer.config import PolicyConfig
from pufftui.trainer.graphs import Recorded
from pufftui.trainer.policy import Policy
from pufftui.trainer.rollout import Collector, Rollout

HORIZON, ENVIRONMENTS = 24, 12


def collector_of(library, memory, *, groups=1, staged=False, on_host=False):
    parameters = {p.name: p.default for p in library.descriptor.parameters}
    if "limit" in parameters:
        parameters["limit"] = 5
    vector = VectorEnv(
        library, parameters, environments=ENVIRONMENTS, groups=groups, threads=2, seed=3
    )
    weights = torch.Generator().manual_seed(0)
    policy = Policy(library.descriptor, PolicyConfig(memory, 16, 2), torch.float32, weights)
    chance = torch.Generator().manual_seed(1)
    return Collector(vector, policy, HORIZON, chance, Clock(), staged=staged, on_host=on_host)


def copied(rollout):
    copies = {f.name: getattr(rollout, f.name).clone() for f in fields(Rollout)}
    # Elsewhere they mean nothing.
    copies["final_values"] *= rollout.truncations
    return Rollout(**copies)


def collected(collector, count=3):
    """Some rollouts, one after the other."""
    kept = []
    for _ in range(count):
        rollout = collector.collect(0.5, lambda: False)
        assert rollout is not None
        kept.append(copied(rollout))
        collector.advance()
    return kept


def assert_same(ones, others):
    for one, other in zip(ones, others, strict=True):
        for field in fields(Rollout):
            left, right = getattr(one, field.name), getattr(other, field.name)
            torch.testing.assert_close(left, right, rtol=1e-5, atol=1e-5, msg=field.name)


MEMORIES = ["none", "mingru", "lstm"]


@pytest.mark.parametrize("memory", MEMORIES)
@pytest.mark.parametrize("groups", [1, 2, 3])
@pytest.mark.parametrize(("staged", "on_host"), [(False, False), (True, False), (True, True)])
def test_groups_and_staging_change_nothing(crowd, memory, groups, staged, on_host):
    plain = collected(collector_of(crowd, memory))
    assert all(rollout.truncations.any() and rollout.terminals.any() for rollout in plain)
    other = collector_of(crowd, memory, groups=groups, staged=staged, on_host=on_host)
    assert_same(collected(other), plain)


def test_one_agent_in_each_environment():
    library = load_env("breakout")
    plain = collected(collector_of(library, "mingru"))
    assert_same(collected(collector_of(library, "mingru", groups=2, staged=True)), plain)


@pytest.mark.parametrize("memory", MEMORIES)
def test_recorded_decisions_change_nothing(crowd, memory, graphs):
    plain = collected(collector_of(crowd, memory))
    other = collector_of(crowd, memory, groups=2, staged=True)
    other._record(None)
    assert not other.unrecorded
    assert all(isinstance(decide, Recorded) for group in other._groups for decide in group.decide)
    assert_same(collected(other), plain)


def test_too_long_a_horizon_is_not_recorded(crowd, graphs, monkeypatch):
    monkeypatch.setattr("pufftui.trainer.rollout.MOST_RECORDINGS", 2 * HORIZON - 1)
    collector = collector_of(crowd, "mingru", groups=2, staged=True)
    collector._record(None)
    assert collector.unrecorded == "24 steps of train.horizon are too many"
    assert_same(collected(collector), collected(collector_of(crowd, "mingru")))


@pytest.mark.parametrize("on_host", [False, True])
def test_what_is_carried_goes_on_the_same(crowd, on_host):
    one = collector_of(crowd, "mingru", groups=2, staged=True, on_host=on_host)
    collected(one, 1)
    carried = {name: tensor.clone() for name, tensor in one.carried().items()}
    memory, chance = one.vector.save(), one.generator.get_state()
    expected = collected(one, 2)
    one.restore(carried)
    one.vector.restore(memory)
    one.generator.set_state(chance)
    assert_same(collected(one, 2), expected)


def test_it_stops_where_it_is_told_to(crowd):
    told = iter([False, False, True])
    assert collector_of(crowd, "none", groups=2).collect(1.0, lambda: next(told)) is None
