"""Brings the floats of observations to mean 0 and deviation 1, the first thing that a policy does with them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pufftui.envs.descriptor import Descriptor, Field
from pufftui.envs.grids import feature_count, float_places

LARGEST = 10.0
"""Deviations from the mean at which a feature is cut off."""

LEAST_SHARE, LEAST = 1e-6, 1e-8
"""An element whose deviation is no more than this share of its mean, and this, is taken for constant."""


class Normaliser(nn.Module):
    """What every feature x becomes: clip((x - shift) * scale, -LARGEST, LARGEST), in float32.

    `shifts` and `scales` (width,) float32 are 0 and 1 for features of byte fields, and for all until `set`
    is called. They stay at their places in memory, where kernels and recorded work read them.
    """

    shifts: Tensor
    scales: Tensor
    places: Tensor

    def __init__(self, descriptor: Descriptor) -> None:
        super().__init__()
        width = sum(feature_count(field) for field in descriptor.fields)
        places = torch.tensor(float_places(descriptor), dtype=torch.int64)
        self.register_buffer("shifts", torch.zeros(width))
        self.register_buffer("scales", torch.ones(width))
        self.register_buffer("places", places, persistent=False)

    @classmethod
    def wanted(cls, descriptor: Descriptor, choice: str) -> Normaliser | None:
        """One if the setting `policy.normalise` says "on" and there are floats to normalise."""
        return cls(descriptor) if choice == "on" and float_places(descriptor) else None

    @torch.no_grad()
    def set(self, means: Tensor, deviations: Tensor) -> None:
        """Takes over means and deviations (floats,) float64, in the order of the fields.

        Where there is no deviation to speak of the feature is 0, until it varies.
        """
        varies = deviations > LEAST_SHARE * means.abs() + LEAST
        scales = torch.where(varies, 1 / deviations, 0.0)
        self.shifts[self.places] = means.float()
        self.scales[self.places] = scales.float()

    def forward(self, features: Tensor) -> Tensor:
        """Features (..., width) float32 -> the same shape. What is not finite becomes NaN, never a number."""
        moved = ((features - self.shifts) * self.scales).clamp(-LARGEST, LARGEST)
        return moved + (features - features)


def numbers(field: Field, observations: Tensor) -> Tensor:
    """A field of floats, (..., count) float32, of observations (..., bytes) uint8."""
    end = field.offset + field.dtype.itemsize * field.count
    return observations[..., field.offset : end].contiguous().view(torch.float32)
