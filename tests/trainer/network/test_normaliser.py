"""Normalised features: one formula in torch, C and numpy, for numbers alone."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from pufftui.envs.catalogue import load_env
from pufftui.envs.descriptor import DType, Field
from pufftui.trainer.arena import forward
from pufftui.trainer.messages.weights import PolicyWeights
from pufftui.trainer.network.features import Features
from pufftui.trainer.network.normaliser import Normaliser
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.settings.fields import PolicyConfig

MIXED = SimpleNamespace(
    fields=(
        Field("level", 0, 3, DType.UINT8, 0),
        Field("position", 3, 300, DType.FLOAT32, 0),
        Field("cells", 1203, 9, DType.UINT8, 4),
        Field("speed", 1212, 2, DType.FLOAT32, 0),
    ),
    observation_bytes=1220,
)
BYTES, FLOATS, WIDTH = 3, 302, 3 + 300 + 36 + 2


def mixed(*shape, scale=1.0):
    random = np.random.default_rng(4)
    numbers = (1e4 + scale * random.normal(size=(*shape, FLOATS))).astype(np.float32)
    position, speed = (np.ascontiguousarray(part) for part in np.split(numbers, [300], axis=-1))
    level = random.integers(0, 256, (*shape, 3), dtype=np.uint8)
    cells = random.integers(0, 5, (*shape, 9), dtype=np.uint8)
    parts = (level, position.view(np.uint8), cells, speed.view(np.uint8))
    return torch.from_numpy(np.concatenate(parts, axis=-1)), torch.from_numpy(numbers)


def normaliser():
    made = Normaliser(MIXED)
    chance = torch.Generator().manual_seed(2)
    means = 1e4 + torch.randn(BYTES + FLOATS, dtype=torch.float64, generator=chance)
    means[:BYTES] = 0.5
    deviations = 0.1 + torch.rand(BYTES + FLOATS, dtype=torch.float64, generator=chance)
    deviations[BYTES + 7] = 0
    made.set(means, deviations)
    return made, means, deviations


def test_numbers_are_normalised_and_categories_are_not():
    made, means, deviations = normaliser()
    data, floats = mixed(6, 7)
    numbers = torch.cat((data[..., :3] / 255, floats), dim=-1)
    plain, found = (Features(MIXED, torch.float32, n).plain(data) for n in (None, made))
    assert torch.equal(found[..., 303:339], plain[..., 303:339])
    seen = torch.cat((found[..., :303], found[..., 339:]), dim=-1)
    wanted = ((numbers.double() - means) / deviations).clamp(-10, 10)
    wanted[..., BYTES + 7] = 0  # It never varied.
    assert (wanted.abs() == 10).any()
    torch.testing.assert_close(seen.double(), wanted, rtol=1e-3, atol=1e-2)


def test_what_hardly_varies_for_its_size_is_constant():
    about = SimpleNamespace(fields=(Field("x", 0, 5, DType.FLOAT32, 0),), observation_bytes=20)
    made = Normaliser(about)
    means = torch.tensor([0, 0, 1e6, 1e6, -1e6], dtype=torch.float64)
    made.set(means, torch.tensor([1e-9, 1e-3, 0.5, 2, 0.5], dtype=torch.float64))
    assert (made.scales > 0).tolist() == [False, True, False, True, False]
    assert made(torch.zeros(5)).tolist() == [0, 0, 0, -10, 0]


def test_what_is_not_finite_stays_so():
    about = SimpleNamespace(fields=(Field("x", 0, 6, DType.FLOAT32, 0),), observation_bytes=24)
    made = Normaliser(about)
    made.set(
        torch.zeros(6, dtype=torch.float64),
        torch.tensor([1, 1, 1, 0, 0, 1e-3], dtype=torch.float64),
    )
    numbers = torch.tensor([torch.nan, torch.inf, -torch.inf, torch.nan, torch.inf, 3e38])
    data = numbers.view(1, 1, 6).view(torch.uint8)
    make = Features(about, torch.float32, made)
    for found in (make(data, None), make.plain(data)):
        assert found.isnan().flatten().tolist() == [True] * 5 + [False]
        assert found[0, 0, 5] == 10
    arrays = {f"normaliser.{name}": value.numpy() for name, value in made.state_dict().items()}
    weights = PolicyWeights(0, "none", 8, 0, arrays)
    same = forward._normalised(weights, numbers.numpy()[None])
    np.testing.assert_array_equal(same, make.plain(data)[0].numpy())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_fused_features_are_the_plain_ones(dtype):
    made, *_ = normaliser()
    data, _ = mixed(6, 7)
    make = Features(MIXED, dtype, made)
    assert make.plain(data).dtype is dtype
    assert torch.equal(make(data, None), make.plain(data))
    rows = torch.tensor([6, 0, 0, 3])
    assert torch.equal(make(data, rows), make.plain(data[:, rows]))


def test_it_comes_before_the_rounding():
    """Ten thousand and a bit are the same number in bfloat16."""
    made, *_ = normaliser()
    data, _ = mixed(6, 7)
    exact, rounded = (
        Features(MIXED, number, made)(data, None) for number in (torch.float32, torch.bfloat16)
    )
    assert torch.equal(rounded, exact.bfloat16())
    assert len(rounded[..., 3].unique()) > 10


def policy_of(env="breakout", dtype=torch.float32, normalise="on", memory="mingru"):
    config = PolicyConfig(memory, 16, normalise=normalise)
    policy = Policy(load_env(env).descriptor, config, dtype, torch.Generator().manual_seed(0))
    if policy.normaliser is not None:
        floats = len(policy.normaliser.places)
        chance = torch.Generator().manual_seed(1)
        means = torch.randn(floats, dtype=torch.float64, generator=chance)
        policy.normaliser.set(means, 0.5 + means.square())
    return policy


@pytest.mark.parametrize("memory", ["none", "mingru", "lstm"])
def test_the_numpy_forward_pass_is_the_same_policy(memory):
    policy = policy_of(memory=memory)
    arrays = {name: p.detach().numpy() for name, p in policy.state_dict().items()}
    assert {a.dtype.name for a in arrays.values()} == {"float32"}
    weights = PolicyWeights(0, memory, 16, 1, arrays)
    data = torch.randn(5, policy.descriptor.observation_bytes // 4)
    state = policy.initial_state(5)
    with torch.no_grad():
        outputs, values, _ = policy.step(data.view(torch.uint8), state)
    found, own_values, _ = forward.forward(
        weights, policy.descriptor, data.view(torch.uint8).numpy(), state.numpy()
    )
    np.testing.assert_allclose(found, outputs.numpy(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(own_values, values.numpy(), rtol=1e-4, atol=1e-5)


def test_the_copy_for_deciding_normalises_alike():
    policy = policy_of(dtype=torch.bfloat16)
    copied = policy.for_deciding()
    assert copied is not policy
    seen = torch.randn(9, policy.descriptor.observation_bytes // 4).view(torch.uint8)
    for change in (1, 3):
        with torch.inference_mode():
            policy.normaliser.scales.mul_(change)
            copied.follow(policy)
            for one, two in zip(
                *(p.step(seen, policy.initial_state(9)) for p in (policy, copied)), strict=True
            ):
                assert torch.equal(one, two)


def test_without_it_a_policy_is_what_it_was():
    off, on = policy_of(normalise="off"), policy_of(normalise="on")
    extra = on.state_dict().keys() - off.state_dict().keys()
    assert extra == {"normaliser.shifts", "normaliser.scales"}
    assert not off.state_dict().keys() - on.state_dict().keys()
    for name, array in off.state_dict().items():
        assert torch.equal(array, on.state_dict()[name])
    assert PolicyConfig().normalise == "off"
    assert policy_of("snake").normaliser is None, "it has no floats"
