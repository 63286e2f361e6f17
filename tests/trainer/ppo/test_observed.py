"""The statistics behind a policy's normaliser: those of numpy, which forget what is long ago."""

import numpy as np
import pytest
import torch

from pufftui.envs.library import load_library
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.ppo import observed
from pufftui.trainer.ppo.observed import EPOCHS, ObservedMoments, sample_rows
from pufftui.trainer.ppo.ranks import Ranks
from pufftui.trainer.settings.fields import PolicyConfig

STEPS, AGENTS = 16, 24


@pytest.fixture
def moments(compiler):
    """Of an environment that shows two floats and nothing else."""
    about = load_library(compiler.library("tests/c/limbs.c")).descriptor
    config = PolicyConfig("none", 8, normalise="on")
    policy = Policy(about, config, torch.float32, torch.Generator())
    return ObservedMoments(policy, policy.normaliser, Ranks())


def play(seed, *, mean=0.0, deviation=1.0):
    chance = torch.Generator().manual_seed(seed)
    return mean + deviation * torch.randn(STEPS, AGENTS, 2, generator=chance)


def as_bytes(numbers):
    return numbers.contiguous().view(torch.uint8)


def flat(*parts):
    return torch.cat([part.flatten(0, -2) for part in parts]).double().numpy()


def test_they_are_those_of_all_that_was_seen(moments):
    parts = [play(seed, mean=1e4 * seed, deviation=1 + seed) for seed in range(4)]
    normaliser = moments._normaliser
    places = normaliser.shifts.data_ptr(), normaliser.scales.data_ptr()
    for part in parts:
        moments.learn(as_bytes(part))
    seen = flat(*parts)
    assert moments.count.item() == len(seen)
    np.testing.assert_allclose(moments.means.numpy(), seen.mean(0), rtol=1e-12)
    np.testing.assert_allclose(moments.squares.numpy() / len(seen), seen.var(0), rtol=1e-9)
    np.testing.assert_allclose(normaliser.shifts.numpy(), seen.mean(0), rtol=1e-6)
    np.testing.assert_allclose(normaliser.scales.numpy(), 1 / seen.std(0), rtol=1e-6)
    assert places == (normaliser.shifts.data_ptr(), normaliser.scales.data_ptr())


def test_little_beside_much_is_not_lost(moments):
    part = play(1, mean=1e6, deviation=100)
    moments.learn(as_bytes(part))
    moments.learn(as_bytes(part))
    np.testing.assert_allclose(1 / moments._normaliser.scales.numpy(), flat(part).std(0), rtol=1e-5)


def test_the_dead_and_what_is_not_finite_do_not_count(moments):
    part, alive = play(3), torch.ones(STEPS, AGENTS, dtype=torch.uint8)
    spoiled = part.clone()
    spoiled[2, 3, 0], spoiled[4, 5, 1], spoiled[6, 7] = torch.nan, torch.inf, 1e30
    alive[6, 7] = 0
    moments.learn(as_bytes(spoiled), alive)
    kept = torch.ones(STEPS, AGENTS, dtype=torch.bool)
    kept[2, 3] = kept[4, 5] = kept[6, 7] = False
    seen = part[kept].double().numpy()
    assert moments.count.item() == len(seen) == STEPS * AGENTS - 3
    np.testing.assert_allclose(moments.means.numpy(), seen.mean(0), rtol=1e-12)
    before = [value.clone() for value in moments.state().values()]
    moments.learn(as_bytes(spoiled), torch.zeros_like(alive))
    for one, two in zip(before, moments.state().values(), strict=True):
        assert torch.equal(one, two)


def test_before_anything_was_seen_floats_stay_as_they_are(moments):
    moments.learn(as_bytes(play(1)), torch.zeros(STEPS, AGENTS, dtype=torch.uint8))
    assert moments._normaliser.shifts.tolist() == [0, 0]
    assert moments._normaliser.scales.tolist() == [1, 1]


def test_what_is_long_ago_is_forgotten(moments):
    for seed in range(3 * EPOCHS):
        moments.learn(as_bytes(play(seed)))
    assert moments.count.item() == EPOCHS * STEPS * AGENTS
    before = moments.means.clone()
    new = play(0, mean=50)
    moments.learn(as_bytes(new))
    share = (moments.means - before) / (torch.from_numpy(flat(new).mean(0)) - before)
    np.testing.assert_allclose(share.numpy(), 1 / EPOCHS)
    for seed in range(8 * EPOCHS):
        moments.learn(as_bytes(play(seed, mean=50, deviation=3)))
    np.testing.assert_allclose(moments.means.numpy(), 50, atol=0.1)
    np.testing.assert_allclose(1 / moments._normaliser.scales.numpy(), 3, rtol=0.05)


def test_few_that_count_weigh_little(moments):
    for seed in range(2 * EPOCHS):
        moments.learn(as_bytes(play(seed)))
    alive = torch.zeros(STEPS, AGENTS, dtype=torch.uint8)
    alive[0, 0] = 1
    moments.learn(as_bytes(play(0, mean=1e3)), alive)
    assert moments.means.abs().max() < 0.2


def test_priming_begins_anew_and_the_state_goes_on(moments):
    moments.learn(as_bytes(play(1, mean=9)))
    moments.prime(as_bytes(play(2)))
    np.testing.assert_allclose(moments.means.numpy(), flat(play(2)).mean(0), rtol=1e-9)
    saved = {name: value.clone() for name, value in moments.state().items()}
    moments.learn(as_bytes(play(3)))
    after = {name: value.clone() for name, value in moments.state().items()}
    moments.restore(saved)
    moments.learn(as_bytes(play(3)))
    for name, value in moments.state().items():
        assert torch.equal(value, after[name])


@pytest.mark.parametrize(
    ("steps", "agents"), [(64, 2048), (64, 2000), (3, 5), (16, 64), (2, 90_000)]
)
def test_the_sample_is_spread_over_steps_and_agents(steps, agents):
    rows = sample_rows(steps, agents, 8, torch.device("cpu"))
    assert len(rows) == len(rows.unique()) <= observed.ROWS
    assert len(rows) > min(observed.ROWS, steps * agents) * 0.6
    assert rows.max() < steps * agents
    assert len((rows % agents).unique()) >= min(agents, len(rows)) * 0.95
    assert len((rows // agents).unique()) == steps


def test_wide_observations_are_fewer():
    assert len(sample_rows(64, 2048, 100_000, torch.device("cpu"))) <= 41


def test_numbers_whose_range_is_declared_are_not_followed(compiler):
    about = load_library(compiler.library("tests/c/senses.c")).descriptor
    policy = Policy(
        about, PolicyConfig("none", 8, normalise="on"), torch.float32, torch.Generator()
    )
    moments = ObservedMoments(policy, policy.normaliser, Ranks())
    before = policy.normaliser.shifts.clone()
    seen = torch.zeros(STEPS, AGENTS, about.observation_bytes, dtype=torch.uint8)
    wild = 5 + 2 * torch.randn(STEPS, AGENTS, 2, generator=torch.Generator().manual_seed(1))
    seen[..., 3:11] = wild.view(torch.uint8)
    seen[..., 11:15] = torch.full((STEPS, AGENTS, 1), torch.nan).view(torch.uint8)
    plain = next(field for field in about.fields if field.name == "plain")
    seen[..., plain.offset : plain.end] = torch.arange(AGENTS)[None, :, None].to(torch.uint8)
    moments.learn(seen)
    found = moments.means.numpy()
    np.testing.assert_allclose(found[:2], flat(wild).mean(0), rtol=1e-9)
    np.testing.assert_allclose(found[2:], (AGENTS - 1) / 2 / 255, rtol=1e-9)
    changed = (policy.normaliser.shifts != before).nonzero().flatten().tolist()
    assert changed == policy.normaliser.places.tolist() == [3, 4, 26, 27, 28]


def test_policies_that_took_bytes_as_they_are_go_on_so(compiler):
    about = load_library(compiler.library("tests/c/senses.c")).descriptor
    policy = Policy(
        about, PolicyConfig("none", 8, normalise="on"), torch.float32, torch.Generator()
    )
    moments = ObservedMoments(policy, policy.normaliser, Ranks())
    before = policy.normaliser.shifts.clone(), policy.normaliser.scales.clone()
    two = torch.tensor([1.0, 2.0], dtype=torch.float64)
    of_then = {"count": two[:1] * 1000, "means": two, "squares": two * 1000}
    moments.restore(of_then)
    assert all(torch.equal(value, of_then[name]) for name, value in moments.state().items())
    seen = torch.randint(0, 256, (STEPS, AGENTS, about.observation_bytes)).to(torch.uint8)
    wild = torch.randn(STEPS, AGENTS, 2)
    seen[..., 3:11] = wild.view(torch.uint8)
    moments.learn(seen)
    now = policy.normaliser.shifts, policy.normaliser.scales
    for own, was in zip(now, before, strict=True):
        assert (own != was).nonzero().flatten().tolist() == [3, 4]


def test_statistics_of_other_elements_are_left_out(moments):
    """The environment declared other bounds when they were written."""
    moments.learn(as_bytes(play(1)))
    before = {name: value.clone() for name, value in moments.state().items()}
    moments.restore({name: torch.full((3,), 7.0).double() for name in before})
    moments.restore({})
    for name, value in moments.state().items():
        assert torch.equal(value, before[name])
