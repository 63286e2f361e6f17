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
    agents, elements = np.nonzero(seen)
    classes = seen[agents, elements]
    known = classes < table.classes[elements]
    rows = table.first[elements] + np.where(known, classes, 0)
    ends = np.searchsorted(agents, np.arange(len(sums) + 1))
    for start in range(0, len(sums), TOGETHER):
        stop = min(start + TOGETHER, len(sums))
        some = np.flatnonzero(np.diff(ends[start : stop + 1]))
        if len(some):
            found = table.rows[rows[ends[start] : ends[stop]]]
            sums[start + some] += np.add.reduceat(found, ends[start + some] - ends[start])
    return sums


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
