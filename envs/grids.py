"""Which fields of an observation a convolution can look at: square grids of categories."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pufftui.envs.descriptor import Descriptor, Field
from pufftui.envs.errors import PuffError

LEAST_SIDE = 3
"""Cells of the smallest grid that is worth it, and of the convolution's square."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A field whose cells lie in `side` rows of `side`: place `first` among the features one-hot."""

    side: int
    classes: int
    first: int

    @property
    def width(self) -> int:
        """Features of the grid, one-hot."""
        return self.side * self.side * self.classes


def feature_count(field: Field) -> int:
    """Features that a field becomes: one per class of a category."""
    return field.count * max(field.classes, 1)


def places_of(descriptor: Descriptor, wanted: Callable[[Field], bool]) -> list[int]:
    """Which of the features are numbers of the fields that are wanted, in order; none of these has classes."""
    places: list[int] = []
    first = 0
    for field in descriptor.fields:
        if wanted(field):
            places += range(first, first + field.count)
        first += feature_count(field)
    return places


def open_places(descriptor: Descriptor) -> list[int]:
    """Which of the features are numbers that only play shows (`Field.is_open`), in order."""
    return places_of(descriptor, lambda field: field.is_open)


def grids_among(fields: Iterable[Field]) -> list[Grid]:
    """The fields that are square grids of cells, as a convolution sees them."""
    found, first = [], 0
    for field in fields:
        side = math.isqrt(field.count)
        if field.classes and side >= LEAST_SIDE and side * side == field.count:
            found.append(Grid(side, field.classes, first))
        first += feature_count(field)
    return found


def grids_of(descriptor: Descriptor, channels: int) -> list[Grid]:
    """The grids that a convolution with so many channels looks at; none without channels.

    Raises `PuffError` if there are channels and nothing to look at.
    """
    if not channels:
        return []
    found = grids_among(descriptor.fields)
    if not found:
        raise PuffError(
            f"{descriptor.name} shows no square grid of cells for policy.convolution.",
            "Leave it at 0.",
            usage=True,
        )
    return found


def encoder_width(descriptor: Descriptor, channels: int) -> int:
    """Inputs of the encoder: features, where a grid has as many numbers a cell as there are channels."""
    width = sum(feature_count(field) for field in descriptor.fields)
    return width + sum(
        grid.side * grid.side * channels - grid.width for grid in grids_of(descriptor, channels)
    )
