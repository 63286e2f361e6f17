"""Bits and 16-bit numbers of observations are the same features in torch, C and numpy, wherever they lie."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from pufftui.envs.descriptor import DType, Field
from pufftui.trainer.arena import forward
from pufftui.trainer.network.features import Features
from pufftui.trainer.network.normaliser import Normaliser

SHOWN = SimpleNamespace(
    fields=(
        Field("one", 0, 1, DType.BITS, 0),
        Field("eight", 1, 8, DType.BITS, 0),
        Field("many", 2, 531, DType.BITS, 0),
        Field("heights", 69, 300, DType.INT16, 0),
        Field("depth", 669, 2, DType.INT16, 0, -32768, 32767),
    ),
    observation_bytes=673,
)
HEIGHTS, DEPTH = slice(540, 840), slice(840, 842)


def shown(*shape):
    """Observations, in which bits that mean nothing are set as well, and what they show."""
    random = np.random.default_rng(2)
    bits = [random.integers(0, 2, (*shape, count), dtype=np.uint8) for count in (1, 8, 531)]
    numbers = random.integers(-32768, 32768, (*shape, 302), dtype=np.int16)
    numbers[..., :2] = numbers[..., 300:] = (-32768, 32767)
    packed = [np.packbits(part, axis=-1, bitorder="little") for part in bits]
    packed[0] |= random.integers(0, 128, packed[0].shape, dtype=np.uint8) << 1
    packed[2][..., -1] |= random.integers(0, 32, shape, dtype=np.uint8) << 3
    data = np.concatenate([*packed, numbers.view(np.uint8)], axis=-1)
    assert data.shape[-1] == SHOWN.observation_bytes
    return torch.from_numpy(data), np.concatenate([*bits, numbers], axis=-1).astype(np.float32)


def test_features_are_the_bits_and_the_numbers():
    data, wanted = shown(3, 4)
    found = Features(SHOWN, torch.float32).plain(data)
    np.testing.assert_array_equal(found.numpy(), wanted)
    flat = forward.features(data.flatten(0, 1).numpy(), SHOWN)
    np.testing.assert_array_equal(flat, wanted.reshape(12, -1))


@pytest.mark.parametrize("choice", [None, "off", "on"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_fused_features_are_the_plain_ones(dtype, choice):
    made = Normaliser.wanted(SHOWN, choice) if choice else None
    if choice == "on":
        assert made.places.tolist() == list(range(HEIGHTS.start, HEIGHTS.stop))
        made.set(torch.arange(300).double(), 1e4 + torch.arange(300).double())
    make, (data, _) = Features(SHOWN, dtype, made), shown(6, 7)
    for rows in (None, torch.tensor([6, 0, 0, 3])):
        wanted = make.plain(data if rows is None else data[:, rows])
        assert torch.equal(make(data, rows), wanted)
    if choice:
        ends = wanted[0, 0, DEPTH].float()
        torch.testing.assert_close(ends, torch.tensor([-1.0, 1.0]), rtol=0, atol=1e-6)
