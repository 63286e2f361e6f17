"""A first layer that looks rows of its weights up is the one that multiplies, in C and in numpy."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pufftui.envs.catalogue import load_env
from pufftui.envs.descriptor import Descriptor, DType, Field, unknown_env
from pufftui.envs.lookups import is_looked_up
from pufftui.trainer.arena import forward
from pufftui.trainer.messages.weights import PolicyWeights, as_one_layer
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.settings.fields import PolicyConfig

FIELDS = (
    Field("a few", 0, 5, DType.UINT8, 7),
    Field("floats", 5, 3, DType.FLOAT32, 0),
    Field("bytes", 17, 4, DType.UINT8, 0, 0, 9),
    Field("kinds", 21, 350, DType.UINT8, 9),
    Field("levels", 371, 350, DType.UINT8, 4),
    Field("bits", 721, 11, DType.BITS, 0),
    Field("all", 723, 2, DType.UINT8, 256),
    Field("shorts", 725, 2, DType.INT16, 0, -300, 300),
)
SIZE = 729
STEPS, AGENTS = 3, 11


def described(fields=FIELDS) -> Descriptor:
    action = load_env("snake").descriptor.actions
    about = replace(unknown_env("looked"), fields=fields, observation_bytes=SIZE, actions=action)
    assert is_looked_up(about, 0)
    return about


def shown(steps=STEPS, agents=AGENTS, seed=0):
    """Most of it is zero, and some bytes are no class of their field."""
    random = np.random.default_rng(seed)
    data = random.integers(0, 12, (steps, agents, SIZE), np.uint8)
    data[random.random(data.shape) < 0.7] = 0
    data[..., 5:17] = random.normal(size=(steps, agents, 3)).astype(np.float32).view(np.uint8)
    data[0, 0] = 0
    data[0, 0, 723:725] = 255
    return torch.from_numpy(data)


def policies(hidden, dtype, normalise="on", memory="mingru", embedding=0):
    """One that looks up, and the same that multiplies."""
    made = []
    for looks_up in (True, False):
        config = PolicyConfig(memory, hidden, normalise=normalise, embedding=embedding)
        policy = Policy(described(), config, dtype, torch.Generator().manual_seed(4))
        if policy.normaliser.follows:
            places = torch.arange(len(policy.normaliser.places), dtype=torch.float64)
            policy.normaliser.set(0.1 * places, places + 0.5)
        with torch.no_grad():
            policy.encoder.bias += 0.1
        assert policy.lookup is not None
        if not looks_up:
            policy.lookup = None
        made.append(policy)
    return made


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("normalise", ["on", "off"])
@pytest.mark.parametrize(("hidden", "embedding"), [(8, 0), (128, 0), (200, 0), (128, 5), (24, 9)])
def test_it_is_the_layer_that_multiplies(hidden, embedding, normalise, dtype):
    """Also where the weights of cells are made of two matrices."""
    looking, multiplying = policies(hidden, dtype, normalise, embedding=embedding)
    near = 1e-5 if dtype is torch.float32 else 0.03
    for seed, rows in ((1, None), (2, torch.tensor([10, 0, 0, 7]))):
        found = []
        for policy in (looking, multiplying):
            policy.zero_grad()
            encoded = policy._encode(shown(seed=seed), rows)
            weights = torch.randn(encoded.shape, generator=torch.Generator().manual_seed(3))
            (encoded.float() * weights).sum().backward()
            found.append((encoded, *(part.grad for part in policy.encoder.parameters())))
            assert encoded.dtype is dtype
        for one, other in zip(*found, strict=True):
            assert (one - other).norm() < near * other.norm()
        with torch.no_grad():  # It looks up what they are now.
            both = zip(looking.encoder.parameters(), multiplying.encoder.parameters(), strict=True)
            for pair in both:
                change = 0.02 * torch.randn(pair[0].shape)
                for parameter in pair:
                    parameter.add_(change)
        for policy in (looking, multiplying):
            if policy.normaliser.follows:
                policy.normaliser.shifts.add_(0.25 * (policy.normaliser.shifts != 0))


def test_every_row_may_be_named_at_once():
    about = replace(
        described(), fields=(Field("kinds", 0, 40, DType.UINT8, 9),), observation_bytes=40
    )
    chance = np.random.default_rng(1)
    # Each byte is 1 to 8, or no class: within 128 rows all are named, and class 0 by those that are none.
    seen = torch.from_numpy(chance.choice([*range(1, 9), 255], (2, 64, 40)).astype(np.uint8))
    found = []
    for looks_up in (True, False):
        policy = Policy(about, PolicyConfig("none", 8), torch.float32, torch.Generator())
        policy.lookup = policy.lookup if looks_up else None
        policy._encode(seen, None).sum().backward()
        found.append(policy.encoder.weight.grad)
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("embedding", [0, 6])
def test_threads_change_nothing(embedding):
    (policy, _), found = policies(200, torch.float32, embedding=embedding), []
    for threads in (1, 2, 5):
        torch.set_num_threads(threads)
        policy.zero_grad()
        encoded = policy._encode(shown(), None)
        encoded.square().sum().backward()
        found.append([encoded.detach().clone(), *(p.grad for p in policy.encoder.parameters())])
    for other in found[1:]:
        assert all(torch.equal(one, two) for one, two in zip(found[0], other, strict=True))


@pytest.mark.parametrize("normalise", ["on", "off"])
@pytest.mark.parametrize("agents", [1, 40])
@pytest.mark.parametrize("embedding", [0, 6])
def test_numpy_does_the_same(embedding, agents, normalise):
    policy, _ = policies(24, torch.float32, normalise, embedding=embedding)
    arrays = {name: value.numpy() for name, value in policy.state_dict().items()}
    weights = PolicyWeights(0, "mingru", 24, 1, as_one_layer(arrays, described(), embedding))
    seen, state = shown(1, agents)[0], policy.initial_state(agents)
    with torch.no_grad():
        outputs, values, after = policy.step(seen, state)
    found = forward.forward(weights, described(), seen.numpy(), state.numpy())
    for one, other in zip(found, (outputs, values, after), strict=True):
        np.testing.assert_allclose(one, other.numpy(), rtol=1e-4, atol=1e-4)


def test_it_is_chosen_where_observations_are_mostly_categories():
    """Numbers are multiplied."""
    chosen = {
        name: is_looked_up(load_env(name).descriptor, 0)
        for name in ("breakout", "snake", "shared_pool", "squared", "nmmo")
    }
    assert chosen == {
        "breakout": False,
        "snake": True,
        "shared_pool": True,
        "squared": True,
        "nmmo": True,
    }
    assert not is_looked_up(load_env("snake").descriptor, 8)
