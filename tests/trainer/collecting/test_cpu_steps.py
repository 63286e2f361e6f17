"""Steps of a rollout outside Python, on the CPU, are the steps that Python takes."""

import numpy as np
import pytest
import torch

from pufftui.envs.catalogue import load_env
from pufftui.envs.library import EnvLibrary
from pufftui.envs.vector import VectorEnv
from pufftui.trainer.collecting import cpu_steps
from pufftui.trainer.collecting.clock import Clock
from pufftui.trainer.collecting.collector import Collector
from pufftui.trainer.collecting.cpu_steps import CpuSteps, block_functions
from pufftui.trainer.collecting.rollout import Storage
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.settings.fields import PolicyConfig

HORIZON, ENVIRONMENTS = 24, 132


@pytest.fixture(autouse=True)
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def collector_of(library, memory="mingru", *, groups=1, environments=ENVIRONMENTS, limit=5):
    parameters = {p.name: p.default for p in library.descriptor.parameters}
    if "limit" in parameters:
        parameters["limit"] = limit
    vector = VectorEnv(
        library, parameters, environments=environments, groups=groups, threads=2, seed=3
    )
    weights = torch.Generator().manual_seed(0)
    policy = Policy(library.descriptor, PolicyConfig(memory, 16, 2), torch.float32, weights)
    chance = torch.Generator().manual_seed(1)
    return Collector(vector, policy, HORIZON, chance, Clock(), Storage.SHARED)


def collected(collector, rollouts):
    """Three rollouts, and after each of them the episodes that have ended in it."""
    found, reports = [], []
    for _ in range(3):
        found += rollouts(collector, 1)
        reports.append(collector.vector.drain())
        assert reports[-1].dropped == 0
    return found, reports


def assert_same_bytes(ours, theirs):
    for one, other in zip(ours[0], theirs[0], strict=True):
        differing = [name for name, tensor in one.items() if not torch.equal(tensor, other[name])]
        assert not differing
    for one, other in zip(ours[1], theirs[1], strict=True):
        assert one.episodes.tobytes() == other.episodes.tobytes()
        assert one.count == other.count > 0
        assert np.array_equal(one.sums, other.sums)


@pytest.mark.parametrize("memory", ["none", "mingru"])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("patience", [0.02, 0.0])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_they_are_the_same_bytes(crowd, memory, groups, patience, threads, rollouts):
    plain = collector_of(crowd, memory, groups=groups)
    assert isinstance(plain._steps, CpuSteps)
    plain._steps = None
    found = collected(plain, rollouts)
    assert all(one["truncations"].any() and one["terminals"].any() for one in found[0])
    other = collector_of(crowd, memory, groups=groups)
    other._steps._job.patience = patience
    torch.set_num_threads(threads)
    assert_same_bytes(collected(other, rollouts), found)
    _, shares = other.clock.lap()
    assert shares["env"] > 0
    assert shares["forward"] > 0


def test_more_are_truncated_at_once_than_are_valued_together(crowd, rollouts):
    plain, other = (collector_of(crowd, limit=1) for _ in range(2))
    plain._steps = None
    for one, two in zip(rollouts(plain), rollouts(other), strict=True):
        assert one["truncations"][0, :64].sum() > 32, "of one block"
        assert all(torch.equal(tensor, two[name]) for name, tensor in one.items())


@pytest.mark.parametrize("env", ["breakout", "school", "snake"])
def test_few_agents_and_worlds_of_many_are_blocks(env, rollouts):
    plain, other = (collector_of(load_env(env), environments=8) for _ in range(2))
    plain._steps = None
    for one, two in zip(rollouts(plain), rollouts(other), strict=True):
        assert all(torch.equal(tensor, two[name]) for name, tensor in one.items())


def test_they_stop_where_they_are_told_to(crowd):
    collector = collector_of(crowd)
    collector._steps._job.patience = 0.0
    told = iter([False, False, True])
    assert collector.collect(1.0, lambda: next(told)) is None
    assert set(collector._steps._played) == {2}


@pytest.mark.parametrize(
    ("blocks", "threads", "taken"),
    [(1, 1, True), (1, 2, False), (3, 2, True), (4, 2, True), (5, 4, False), (11, 4, True)],
)
def test_blocks_that_leave_threads_idle_are_stepped_together(
    crowd, blocks, threads, taken, monkeypatch
):
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    monkeypatch.setattr(cpu_steps, "FEW", 0)
    agents = crowd.descriptor.agents
    environments = blocks * (64 // agents)
    with VectorEnv(
        crowd, {p.name: p.default for p in crowd.descriptor.parameters}, environments=environments
    ) as vector:
        functions = block_functions(vector)
        assert (functions is not None) is taken
        if functions is not None:
            assert functions.blocks == blocks


def test_a_library_without_blocks_is_stepped_as_ever(crowd, monkeypatch, rollouts):
    """As one that was compiled before there were any."""
    plain = collected(collector_of(crowd), rollouts)

    def missing(self: EnvLibrary, name: str) -> int:
        raise AttributeError(name)

    whole = VectorEnv._function
    monkeypatch.setattr(
        VectorEnv,
        "_function",
        lambda self, name: missing(self, name) if "block" in name else whole(self, name),
    )
    older = collector_of(crowd)
    assert older._steps is None
    assert_same_bytes(collected(older, rollouts), plain)


def test_the_patience_is_short():
    """Whoever stops a run waits for one step of the environments and this."""
    assert cpu_steps.PATIENCE <= 0.05
