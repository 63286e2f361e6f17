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
class Cells:
    """So many cells, and for each fact about them the place of its first feature, one-hot, and its classes.

    A fact's features are those of the first cell, then of the next.
    """

    count: int
    facts: tuple[tuple[int, int], ...]

    @property
    def classes(self) -> int:
        """Of all facts."""
        return sum(classes for _, classes in self.facts)

    @property
    def places(self) -> list[slice]:
        """Where each fact is among the features."""
        return [slice(first, first + self.count * classes) for first, classes in self.facts]

    @property
    def features(self) -> list[int]:
        """The places of all features."""
        return [place for each in self.places for place in range(each.start, each.stop)]


@dataclass(frozen=True, slots=True)
class Grid(Cells):
    """Cells that lie in rows of so many `columns`."""

    columns: int

    @property
    def rows(self) -> int:
        """How many there are."""
        return self.count // self.columns


def feature_count(field: Field) -> int:
    """Features that a field becomes: one per class of a category."""
    return field.count * max(field.classes, 1)


def with_places(fields: Iterable[Field]) -> Iterator[tuple[int, Field]]:
    """Each field with the place of its first feature among all features."""
    first = 0
    for field in fields:
        yield first, field
        first += feature_count(field)


def places_of(descriptor: Descriptor, wanted: Callable[[Field], bool]) -> list[int]:
    """Which of the features are numbers of the fields that are wanted, in order; none of these has classes."""
    return [
        place
        for first, field in with_places(descriptor.fields)
        if wanted(field)
        for place in range(first, first + field.count)
    ]


def open_places(descriptor: Descriptor) -> list[int]:
    """Which of the features are numbers that only play shows (`Field.is_open`), in order."""
    return places_of(descriptor, lambda field: field.is_open)


def grids_among(fields: Iterable[Field]) -> list[Grid]:
    """The maps that a convolution sees, in the order of their first facts.

    Fields of the same shape tell of one map if they say their `columns`. A square that does not is a map of its own.
    """
    facts: dict[tuple[int, int, int | None], list[tuple[int, int]]] = {}
    for first, field in with_places(fields):
        side = math.isqrt(field.count)
        columns = field.columns or (side if side * side == field.count else 1)
        if field.classes and min(field.count // columns, columns) >= LEAST_SIDE:
            alone = None if field.columns else first
            facts.setdefault((field.count, columns, alone), []).append((first, field.classes))
    return [Grid(count, tuple(each), columns) for (count, columns, _), each in facts.items()]


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
    return width + sum(grid.count * (channels - grid.classes) for grid in grids)
