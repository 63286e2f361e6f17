"""Fields that declare low and high: -1 to 1 from the first step, alike in all that knows features."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from pufftui.envs.descriptor import DType, Field
from pufftui.envs.errors import PuffError
from pufftui.envs.library import load_library
from pufftui.trainer.arena import forward
from pufftui.trainer.messages.weights import PolicyWeights
from pufftui.trainer.network.features import Features
from pufftui.trainer.network.normaliser import Normaliser
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.settings.fields import PolicyConfig

SHOWN = SimpleNamespace(
    fields=(
        Field("level", 0, 3, DType.UINT8, 0, 0, 9),
        Field("wild", 3, 5, DType.FLOAT32, 0),
        Field("place", 23, 300, DType.FLOAT32, 0, -300, 100),
        Field("cells", 1223, 9, DType.UINT8, 4),
        Field("plain", 1232, 2, DType.UINT8, 0),
    ),
    observation_bytes=1234,
)
LEVEL, WILD, PLACE, CELLS, PLAIN = (
    slice(0, 3),
    slice(3, 8),
    slice(8, 308),
    slice(308, 344),
    slice(344, 346),
)


def shown(*shape):
    """Observations; some are out of bounds, some far, some not finite."""
    random = np.random.default_rng(4)

    def floats(count, *values):
        numbers = random.uniform(-300, 100, (*shape, count)).astype(np.float32)
        numbers[..., : len(values)] = values
        return numbers.view(np.uint8)

    parts = (
        random.integers(0, 10, (*shape, 3), dtype=np.uint8),
        floats(5, 50, -1e6, 0.25, np.inf),
        floats(300, -300, 100, -100, 300, 1e5, -1e5, np.nan),
        random.integers(0, 5, (*shape, 9), dtype=np.uint8),
        random.integers(0, 256, (*shape, 2), dtype=np.uint8),
    )
    return torch.from_numpy(np.concatenate(parts, axis=-1))


@pytest.mark.parametrize("choice", ["on", "off"])
def test_a_declared_range_becomes_minus_one_to_one(choice):
    data = shown(6)
    found = Features(SHOWN, torch.float32, Normaliser.wanted(SHOWN, choice)).plain(data)
    level = data[:, :3].float()
    torch.testing.assert_close(found[:, LEVEL], level / 4.5 - 1, rtol=0, atol=1e-6)
    place = found[:, PLACE]
    assert place[0, :6].tolist() == [-1, 1, 0, 2, 10, -10]
    assert place[:, 6].isnan().all()
    assert place[:, 7:].abs().max() <= 1


def test_all_else_is_what_it_is_without_bounds():
    """Bit for bit, beyond 10 as well."""
    data = shown(6)
    bounded = Features(SHOWN, torch.float32, Normaliser.wanted(SHOWN, "off")).plain(data)
    free = Features(SHOWN, torch.float32).plain(data)
    for part in (slice(3, 6), slice(7, 8), CELLS, PLAIN):
        assert torch.equal(bounded[:, part], free[:, part])
    assert free[0, WILD][:2].tolist() == [50, -1e6]
    assert not bounded[:, 6].isfinite().any()


def test_what_is_seen_moves_numbers_without_bounds_alone():
    made = Normaliser.wanted(SHOWN, "on")
    assert made.places.tolist() == [*range(3, 8), 344, 345]
    before = made.shifts.clone(), made.scales.clone()
    made.set(torch.full((7,), 7.0).double(), torch.full((7,), 2.0).double())
    for own, was, now in zip((made.shifts, made.scales), before, (7, 0.5), strict=True):
        for open_ in (WILD, PLAIN):
            assert (own[open_] == now).all()
            own[open_] = was[open_]
        assert torch.equal(own, was)


@pytest.mark.parametrize("choice", ["on", "off"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_fused_features_are_the_plain_ones(dtype, choice):
    made = Normaliser.wanted(SHOWN, choice)
    if choice == "on":
        made.set(torch.arange(7).double(), 0.1 + torch.arange(7).double())
    make, data = Features(SHOWN, dtype, made), shown(6, 7)
    for rows in (None, torch.tensor([6, 0, 0, 3])):
        wanted = make.plain(data if rows is None else data[:, rows])
        torch.testing.assert_close(make(data, rows), wanted, rtol=0, atol=0, equal_nan=True)


def test_numpy_makes_the_same_of_them():
    made, data = Normaliser.wanted(SHOWN, "off"), shown(6)
    arrays = {f"normaliser.{name}": value.numpy() for name, value in made.state_dict().items()}
    weights = PolicyWeights(0, "none", 8, 0, arrays)
    found = forward._normalised(weights, forward.features(data.numpy(), SHOWN))
    wanted = Features(SHOWN, torch.float32, made).plain(data).numpy()
    np.testing.assert_array_equal(found, wanted)


def test_there_is_a_normaliser_only_where_there_is_something_to_do():
    free = (Field("x", 0, 5, DType.FLOAT32, 0), Field("b", 20, 4, DType.UINT8, 0))
    about = SimpleNamespace(fields=free, observation_bytes=24)
    assert Normaliser.wanted(about, "off") is None
    assert Normaliser.wanted(about, "on").follows
    about.fields = (Field("c", 20, 4, DType.UINT8, 3), Field("d", 24, 4, DType.BITS, 0))
    assert Normaliser.wanted(about, "on") is None
    about.fields = (Field("b", 20, 4, DType.UINT8, 0, 0, 9),)
    for choice in ("on", "off"):
        assert not Normaliser.wanted(about, choice).follows
    assert not Normaliser.wanted(SHOWN, "off").follows


@pytest.fixture
def policies(compiler):
    """Of the same weights in an environment with bounds, and in one in which they are not declared."""
    about = load_library(compiler.library("tests/c/senses.c")).descriptor
    bare = load_library(compiler.library("tests/c/senses.c", "-DUNDECLARED")).descriptor

    def made(descriptor):
        config = PolicyConfig("mingru", 16)
        return Policy(descriptor, config, torch.float32, torch.Generator().manual_seed(3))

    return made(about), made(bare)


def test_a_policy_goes_on_with_what_it_saw_when_it_was_trained(policies):
    """Bounds that are declared later change nothing for it."""
    bounded, bare = policies
    seen = torch.randint(256, (9, bare.descriptor.observation_bytes), dtype=torch.uint8)
    seen[:, 3:15] = torch.randn(9, 3).view(torch.uint8)
    bounded.restore(bare.state_dict())
    state = bare.initial_state(9)
    with torch.no_grad():
        for one, two in zip(bounded.step(seen, state), bare.step(seen, state), strict=True):
            assert torch.equal(one, two)
    bounded.normaliser.scales.fill_(3)
    again = Policy(bounded.descriptor, PolicyConfig("mingru", 16), torch.float32, torch.Generator())
    again.restore(bounded.state_dict())
    assert torch.equal(again.normaliser.scales, bounded.normaliser.scales)


def test_bounds_that_are_gone_are_asked_for(policies):
    bounded, bare = policies
    with pytest.raises(PuffError, match="declares no low and high of what is observed any more"):
        bare.restore(bounded.state_dict())
