"""Which fields of an observation a convolution can look at: maps of categories, and where these are among the features."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from pufftui.envs.descriptor import Descriptor, Field
from pufftui.envs.errors import PuffError

LEAST_SIDE = 3
"""Cells across the smallest grid that is worth it, and across the convolution's square."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells in `rows` of `columns`, and for each fact about them the place of its first feature, one-hot, and its classes.

    A fact's features are those of the first cell, then of the next.
    """

    rows: int
    columns: int
    facts: tuple[tuple[int, int], ...]

    @property
    def cells(self) -> int:
        """How many there are."""
        return self.rows * self.columns

    @property
    def classes(self) -> int:
        """Of all facts."""
        return sum(classes for _, classes in self.facts)

    @property
    def width(self) -> int:
        """Features of the grid, one-hot."""
        return self.cells * self.classes

    @property
    def places(self) -> list[slice]:
        """Where each fact is among the features."""
        return [slice(first, first + self.cells * classes) for first, classes in self.facts]


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
    """The maps that a convolution sees, in the order of their first facts.

    Fields of the same shape tell of one map if they say their `columns`. A square that does not is a map of its own.
    """
    facts: dict[tuple[int, int, int], list[tuple[int, int]]] = {}
    first = 0
    for number, field in enumerate(fields):
        side = math.isqrt(field.count)
        columns = field.columns or (side if side * side == field.count else 1)
        rows = field.count // columns
        if field.classes and min(rows, columns) >= LEAST_SIDE:
            alone = 0 if field.columns else 1 + number
            facts.setdefault((rows, columns, alone), []).append((first, field.classes))
        first += feature_count(field)
    return [Grid(rows, columns, tuple(each)) for (rows, columns, _), each in facts.items()]


def grids_of(descriptor: Descriptor, channels: int) -> list[Grid]:
    """The grids that a convolution with so many channels looks at; none without channels.

    Raises `PuffError` if there are channels and nothing to look at.
    """
    if not channels:
        return []
    found = grids_among(descriptor.fields)
    if not found:
        raise PuffError(
            f"{descriptor.name} shows no map of cells for policy.convolution.",
            "Leave it at 0.",
            usage=True,
        )
    return found


def around_grids(grids: Sequence[Grid], width: int) -> Iterator[slice | int]:
    """What an encoder reads of so many features, in order: runs of them as they are, and numbers of grids.

    A grid comes where its first fact is.
    """
    facts = sorted(
        (place.start, place.stop, number if place == grid.places[0] else None)
        for number, grid in enumerate(grids)
        for place in grid.places
    )
    end = 0
    for start, stop, number in facts:
        if end < start:
            yield slice(end, start)
        if number is not None:
            yield number
        end = stop
    if end < width:
        yield slice(end, width)


def encoder_width(descriptor: Descriptor, channels: int) -> int:
    """Inputs of the encoder: features, where a grid has as many numbers a cell as there are channels."""
    width = sum(feature_count(field) for field in descriptor.fields)
    grids = grids_of(descriptor, channels)
    return width + sum(grid.cells * channels - grid.width for grid in grids)
