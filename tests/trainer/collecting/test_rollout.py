"""A rollout is the same however it is collected: in one group or several, at once or staged."""

from dataclasses import replace

import pytest
import torch

from pufftui.envs.catalogue import load_env
from pufftui.envs.vector import VectorEnv
from pufftui.trainer.collecting import graphs as graphs_module
from pufftui.trainer.collecting.clock import Clock
from pufftui.trainer.collecting.collector import Collector
from pufftui.trainer.collecting.gpu_steps import open_driver
from pufftui.trainer.collecting.graphs import Recorded
from pufftui.trainer.collecting.rollout import Storage
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.settings.fields import PolicyConfig

HORIZON, ENVIRONMENTS = 24, 12


def collector_of(library, memory, *, groups=1, storage=Storage.SHARED):
    parameters = {p.name: p.default for p in library.descriptor.parameters}
    if "limit" in parameters:
        parameters["limit"] = 5
    vector = VectorEnv(
        library, parameters, environments=ENVIRONMENTS, groups=groups, threads=2, seed=3
    )
    weights = torch.Generator().manual_seed(0)
    policy = Policy(library.descriptor, PolicyConfig(memory, 16, 2), torch.float32, weights)
    chance = torch.Generator().manual_seed(1)
    return Collector(vector, policy, HORIZON, chance, Clock(), storage)


def assert_same(ones, others):
    for one, other in zip(ones, others, strict=True):
        for name, tensor in one.items():
            torch.testing.assert_close(tensor, other[name], rtol=1e-5, atol=1e-5, msg=name)


MEMORIES = ["none", "mingru", "lstm"]


@pytest.mark.parametrize("memory", MEMORIES)
@pytest.mark.parametrize("groups", [1, 2, 3])
@pytest.mark.parametrize("storage", list(Storage))
def test_groups_and_staging_change_nothing(crowd, memory, groups, storage, rollouts):
    plain = rollouts(collector_of(crowd, memory))
    assert all(rollout["truncations"].any() and rollout["terminals"].any() for rollout in plain)
    other = collector_of(crowd, memory, groups=groups, storage=storage)
    assert_same(rollouts(other), plain)


@pytest.mark.parametrize("storage", list(Storage))
def test_who_is_not_alive_begins_anew(crowd, storage, rollouts):
    """What an agent remembers of the time when it was dead is no part of the life after it."""
    collector = collector_of(crowd, "mingru", groups=2, storage=storage)
    (rollout,) = rollouts(collector, 1)
    over = rollout["terminals"].bool() | rollout["truncations"].bool()
    dead = ~rollout["alive"].bool()
    assert (dead & ~over).any()
    assert torch.equal(rollout["resets"][1:].bool(), (over | dead)[:-1])


def test_one_agent_in_each_environment(rollouts):
    library = load_env("breakout")
    plain = rollouts(collector_of(library, "mingru"))
    assert_same(rollouts(collector_of(library, "mingru", groups=2, storage=Storage.DEVICE)), plain)


@pytest.mark.parametrize("memory", MEMORIES)
def test_recorded_decisions_change_nothing(crowd, memory, graphs, rollouts):
    plain = rollouts(collector_of(crowd, memory))
    other = collector_of(crowd, memory, groups=2, storage=Storage.DEVICE)
    other.record([1, 2], None)
    assert not other.unrecorded
    assert all(isinstance(decide, Recorded) for step in other._decide for decide in step)
    assert_same(rollouts(other), plain)


@pytest.mark.parametrize(
    ("memory", "storage"),
    [("none", Storage.HOST), ("mingru", Storage.DEVICE), ("lstm", Storage.DEVICE)],
)
@pytest.mark.parametrize("groups", [1, 2, 3])
@pytest.mark.parametrize("patience", [0.02, 0.0])
@pytest.mark.parametrize("eager", [False, True])
def test_steps_outside_python_change_nothing(
    crowd, memory, groups, storage, patience, eager, driver, rollouts
):
    driver.eager = eager
    plain = rollouts(collector_of(crowd, memory))
    other = collector_of(crowd, memory, groups=groups, storage=storage)
    other.record(list(range(1, groups + 1)), driver.functions)
    assert other._steps is not None
    other._steps._job.patience = patience
    played = other._steps.play

    def play(clock, interrupted):
        finished = played(clock, interrupted)
        driver.wait_for_all()  # The last decisions, which the current stream of a GPU waits for.
        return finished

    other._steps.play = play
    assert_same(rollouts(other), plain)
    _, shares = other.clock.lap()
    assert shares["env"] > 0
    assert shares["forward"] > 0


def test_steps_outside_python_stop_where_they_are_told_to(crowd, driver):
    collector = collector_of(crowd, "none", groups=2, storage=Storage.DEVICE)
    collector.record([1, 2], driver.functions)
    collector._steps._job.patience = 0.0
    told = iter([False, False, True])
    assert collector.collect(1.0, lambda: next(told)) is None
    assert collector._steps._job.step == 2


def test_a_driver_that_fails_is_an_error(crowd, driver):
    collector = collector_of(crowd, "none", groups=2, storage=Storage.DEVICE)
    collector.record([1, 2], driver.functions)
    driver.fail_after = 7
    with pytest.raises(RuntimeError, match="stopped a rollout with error 700"):
        collector.collect(1.0, lambda: False)


def test_a_driver_that_is_not_there():
    assert open_driver("libpufftui-no-such-driver.so.1") is None
    assert open_driver("libc.so.6") is None


def test_without_a_handle_the_steps_stay_in_python(crowd, graphs, driver, monkeypatch, rollouts):
    whole = graphs_module.record
    without = lambda *given: replace(whole(*given), handle=0)  # noqa: E731
    monkeypatch.setattr("pufftui.trainer.collecting.graphs.record", without)
    collector = collector_of(crowd, "mingru", groups=2, storage=Storage.DEVICE)
    collector.record([1, 2], driver.functions)
    assert collector._steps is None
    assert not collector.unrecorded
    assert_same(rollouts(collector), rollouts(collector_of(crowd, "mingru")))


def test_too_long_a_horizon_is_not_recorded(crowd, graphs, driver, monkeypatch, rollouts):
    monkeypatch.setattr("pufftui.trainer.collecting.collector.MOST_RECORDINGS", 2 * HORIZON - 1)
    collector = collector_of(crowd, "mingru", groups=2, storage=Storage.DEVICE)
    collector.record([1, 2], driver.functions)
    assert collector._steps is None
    assert collector.unrecorded == "24 steps of train.horizon are too many"
    assert_same(rollouts(collector), rollouts(collector_of(crowd, "mingru")))


@pytest.mark.parametrize("storage", [Storage.DEVICE, Storage.HOST])
def test_what_is_carried_goes_on_the_same(crowd, storage, rollouts):
    one = collector_of(crowd, "mingru", groups=2, storage=storage)
    rollouts(one, 1)
    carried = {name: tensor.clone() for name, tensor in one.carried().items()}
    memory, chance = one.vector.save(), one.generator.get_state()
    expected = rollouts(one, 2)
    one.restore(carried)
    one.vector.restore(memory)
    one.generator.set_state(chance)
    assert_same(rollouts(one, 2), expected)


def test_it_stops_where_it_is_told_to(crowd):
    told, collector = iter([False, False, True]), collector_of(crowd, "none", groups=2)
    collector._steps = None
    assert collector.collect(1.0, lambda: next(told)) is None
