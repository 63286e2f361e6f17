"""The first layer in numpy where observations are mostly categories: it adds up rows of its weights, as kernels/c/lookup.c does."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.descriptor import Descriptor
from pufftui.envs.grids import feature_count
from pufftui.trainer.messages.weights import PolicyWeights

Array = NDArray[np.float32]

OFTEN = 4
"""A category that is not 0 in one of so many rows is multiplied."""

TOGETHER = 32
"""Agents whose rows are added up at once: so many stay in a core's own cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The rows that are added up, (features, hidden), and what every sum begins with, (hidden,).

    The row of a category is what differs from that of its class 0, which costs nothing so. In the place of class 0 there
    is what takes it back, for bytes that are no class. `places`, `classes` and `first` (elements,) say of each category
    at which byte it is, how many classes it has, and at which row they begin; `numbers` are the rows of all that are none.
    """

    rows: Array
    sums: Array
    places: NDArray[np.intp]
    classes: NDArray[np.int16]
    first: NDArray[np.intp]
    numbers: NDArray[np.intp]


def looked_up(table: Table, observations: NDArray[np.uint8], numbers: Array) -> Array:
    """The sums (rows, hidden) for observations (rows, bytes), of which `numbers` (rows, numbers) are the features without classes."""
    sums: Array = table.sums + numbers @ table.rows[table.numbers]
    seen = observations[:, table.places]
    often = np.count_nonzero(seen, axis=0) * OFTEN > len(seen)
    _multiply(table, seen[:, often], np.flatnonzero(often), sums)
    _add(table, np.where(often, 0, seen), sums)
    return sums


def _multiply(
    table: Table, seen: NDArray[np.uint8], elements: NDArray[np.intp], sums: Array
) -> None:
    """Adds what some categories (rows, elements) name, one-hot: where most name something numpy's products are quicker."""
    classes = table.classes[elements]
    ends = np.cumsum(classes, dtype=np.intp)
    one_hot = np.zeros((len(seen), int(ends[-1]) if len(ends) else 0), np.float32)
    places = ends - classes + np.where(seen < classes, seen, 0)
    np.put_along_axis(one_hot, places, (seen != 0).astype(np.float32), axis=1)
    owners = np.repeat(np.arange(len(classes)), classes)
    rows = table.first[elements][owners] + np.arange(one_hot.shape[1]) - (ends - classes)[owners]
    sums += one_hot @ table.rows[rows]


def _add(table: Table, seen: NDArray[np.uint8], sums: Array) -> None:
    """Adds the rows that categories (rows, elements) name."""
    agents, elements = np.nonzero(seen)
    classes = seen[agents, elements]
    rows = table.first[elements] + np.where(classes < table.classes[elements], classes, 0)
    ends = np.searchsorted(agents, np.arange(len(sums) + 1))
    for start in range(0, len(sums), TOGETHER):
        stop = min(start + TOGETHER, len(sums))
        some = np.flatnonzero(np.diff(ends[start : stop + 1]))
        if len(some):
            found = table.rows[rows[ends[start] : ends[stop]]]
            sums[start + some] += np.add.reduceat(found, ends[start + some] - ends[start])


@functools.lru_cache(maxsize=2)
def table_of(weights: PolicyWeights, descriptor: Descriptor) -> Table:
    """The table of a policy; it is kept for the policies that were asked for last."""
    rows = weights.arrays["encoder.weight"].T.copy()
    sums = weights.arrays["encoder.bias"].copy()
    places: list[int] = []
    classes: list[int] = []
    first: list[int] = []
    numbers: list[int] = []
    feature = 0
    for field in descriptor.fields:
        count = feature_count(field)
        if field.classes:
            own = rows[feature : feature + count].reshape(field.count, field.classes, -1)
            zeros = own[:, 0].copy()
            own -= zeros[:, None]
            own[:, 0] = -zeros
            sums += zeros.sum(axis=0)
            places += range(field.offset, field.end)
            classes += [field.classes] * field.count
            first += range(feature, feature + count, field.classes)
        else:
            numbers += range(feature, feature + count)
        feature += count
    return Table(
        *(rows, sums, np.array(places, np.intp), np.array(classes, np.int16)),
        *(np.array(first, np.intp), np.array(numbers, np.intp)),
    )
