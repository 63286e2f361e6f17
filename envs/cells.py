"""Which fields of an observation tell facts about the same cells, as of a map: their weights can be the same in each cell."""

from __future__ import annotations

from collections.abc import Sequence

from pufftui.envs.descriptor import Descriptor, Field
from pufftui.envs.errors import PuffError
from pufftui.envs.grids import Cells, encoder_width, with_places

LEAST_CELLS = 9
"""Cells of the smallest map: fields of categories with fewer elements are no map."""


def cells_among(fields: Sequence[Field]) -> list[Cells]:
    """The cells that fields of an observation show: those of categories that have as many elements, and columns, are of the same."""
    facts: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for first, field in with_places(fields):
        if field.classes and field.count >= LEAST_CELLS:
            facts.setdefault((field.count, field.columns), []).append((first, field.classes))
    return [Cells(count, tuple(each)) for (count, _), each in facts.items()]


def cells_of(descriptor: Descriptor, embedding: int) -> list[Cells]:
    """The cells that an embedding of so many numbers is of; none without one.

    Raises `PuffError` if there is an embedding and no cells.
    """
    if not embedding:
        return []
    cells = cells_among(descriptor.fields)
    if not cells:
        raise PuffError(
            f"{descriptor.name} shows no cells of a map for policy.embedding.",
            "Leave it at 0.",
            usage=True,
        )
    return cells


def other_places(descriptor: Descriptor, cells: list[Cells]) -> list[int]:
    """The features that are of no cells, in order."""
    taken = {place for each in cells for place in each.features}
    return [place for place in range(encoder_width(descriptor, 0)) if place not in taken]
