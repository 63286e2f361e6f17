"""Brings the numbers of observations to size one, the first thing that a policy does with them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pufftui.envs.descriptor import Descriptor, DType, Field
from pufftui.envs.grids import feature_count, open_places
from pufftui.trainer.settings.choice import LEAST_SHARE

NUMBERS = {DType.FLOAT32: torch.float32, DType.INT16: torch.int16}
"""What torch calls numbers of several bytes."""

LARGEST = 10.0
"""Where a feature is cut off, in deviations from its mean, or halves of its declared range from the middle."""

LEAST = 1e-8
"""An element whose deviation is no more than `LEAST_SHARE` of its mean, and this, is taken for constant."""


class Normaliser(nn.Module):
    """What every feature x becomes: clip((x - shift) * scale, -LARGEST, LARGEST), in float32.

    Those of fields that declare low and high become -1 to 1 by these, for good. Numbers without, at `places`,
    follow what is seen, by `set`. All others have shift 0 and scale 1, which leaves any number as it is.
    `shifts` and `scales` (width,) float32 stay at their places in memory, where kernels and recorded work read them.
    """

    shifts: Tensor
    scales: Tensor
    places: Tensor

    def __init__(self, descriptor: Descriptor, *, follows: bool = True) -> None:
        """Without `follows` there are no `places`: numbers whose range is not declared stay as they are."""
        super().__init__()
        shifts, scales = _declared(descriptor)
        places = open_places(descriptor) if follows else []
        self.register_buffer("shifts", shifts)
        self.register_buffer("scales", scales)
        self.register_buffer("places", torch.tensor(places, dtype=torch.int64), persistent=False)

    @classmethod
    def wanted(cls, descriptor: Descriptor, choice: str) -> Normaliser | None:
        """One if a field declares low and high, or if the setting `policy.normalise` says "on" and there are numbers."""
        made = cls(descriptor, follows=choice == "on")
        bounded = any(field.is_bounded for field in descriptor.fields)
        return made if bounded or made.follows else None

    @property
    def follows(self) -> bool:
        """Whether there is anything that follows what is seen."""
        return len(self.places) > 0

    def follow(self, places: list[int]) -> None:
        """From now on these features follow what is seen; all others stay as they are."""
        self.places = torch.tensor(places, dtype=torch.int64, device=self.shifts.device)

    @torch.no_grad()
    def set(self, means: Tensor, deviations: Tensor) -> None:
        """Takes over means and deviations (places,) float64, in the order of the fields.

        Where there is no deviation to speak of the feature is 0, until it varies.
        """
        varies = deviations > LEAST_SHARE * means.abs() + LEAST
        scales = torch.where(varies, 1 / deviations, 0.0)
        self.shifts[self.places] = means.float()
        self.scales[self.places] = scales.float()

    def leave_as_they_are(self) -> None:
        """Takes features as a policy without a normaliser does."""
        self.shifts.zero_()
        self.scales.fill_(1)

    def forward(self, features: Tensor) -> Tensor:
        """Features (..., width) float32 -> the same shape. What is not finite becomes NaN, never a number."""
        moved = (features - self.shifts) * self.scales
        untouched = (self.shifts == 0) & (self.scales == 1)
        moved = torch.where(untouched, moved, moved.clamp(-LARGEST, LARGEST))
        return moved + (features - features)


def numbers(field: Field, observations: Tensor) -> Tensor:
    """The elements of a field, (..., count) float32, of observations (..., bytes) uint8."""
    part = observations[..., field.offset : field.end]
    if field.dtype is DType.BITS:
        places = torch.arange(8, dtype=torch.uint8, device=part.device)
        bits = (part.unsqueeze(-1) >> places) & 1
        return bits.flatten(-2)[..., : field.count].float()
    if field.dtype is DType.UINT8:
        return part.float()
    return part.contiguous().view(NUMBERS[field.dtype]).float()


def _declared(descriptor: Descriptor) -> tuple[Tensor, Tensor]:
    """Shifts and scales (width,) that bring what fields declare to -1 to 1; 0 and 1 for all others."""
    shifts: list[float] = []
    scales: list[float] = []
    for field in descriptor.fields:
        shift, scale = 0.0, 1.0
        if field.is_bounded:
            low, high = field.low * field.dtype.unit, field.high * field.dtype.unit
            shift, scale = (low + high) / 2, 2 / (high - low)
        shifts += [shift] * feature_count(field)
        scales += [scale] * feature_count(field)
    return torch.tensor(shifts, dtype=torch.float32), torch.tensor(scales, dtype=torch.float32)
