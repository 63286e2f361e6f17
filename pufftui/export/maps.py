"""The maps of an observation as exported C sees them: through a convolution, or cell by cell through an embedding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.cells import cells_among
from pufftui.envs.descriptor import Descriptor
from pufftui.envs.grids import grids_of
from pufftui.trainer.messages.weights import PolicyWeights

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """Fields that one call in C reads together, where the first of them is.

    `facts` are the places of their first features among all features, and their classes; `tables` its weights by name.
    The call is of the function `reader` with `sizes` and the tables, and fills `features` inputs of the encoder;
    where there are none, it adds to the hidden layer by itself.
    """

    name: str
    reader: str
    facts: tuple[tuple[int, int], ...]
    sizes: tuple[int, ...]
    tables: Mapping[str, Array]
    features: int

    def declared(self, offsets: Mapping[int, int]) -> Iterator[str]:
        """Where the facts are and how many classes each has; `offsets` has the byte of each first feature."""
        firsts, classes = zip(*self.facts, strict=True)
        for name, numbers in (
            ("offsets", [offsets[first] for first in firsts]),
            ("classes", classes),
        ):
            listed = ", ".join(map(str, numbers))
            yield f"static const int policy_{self.name}_{name}[{len(numbers)}] = {{{listed}}};"

    def call(self, feature: int) -> Iterator[str]:
        """The lines of the call, whose encoder inputs begin at `feature`."""
        names = (f"policy_{self.name}_{each}" for each in ("offsets", "classes", *self.tables))
        sizes = ", ".join(map(str, (*self.sizes, len(self.facts))))
        first, second, *rest = names
        begin = f"    policy_{self.reader}("
        yield f"{begin}bytes, {sizes}, {first}, {second},"
        last = [*rest, str(feature)] if self.features else rest
        yield f"{' ' * len(begin)}{', '.join(last)}, hidden);"


def maps_of(weights: PolicyWeights, descriptor: Descriptor) -> list[Map]:
    """The maps that a policy looks at, in the order of their first facts; none without a convolution or an embedding."""
    if weights.embedded:
        return [
            Map(
                f"cells{number}",
                "cells",
                each.facts,
                (each.count,),
                {
                    "kinds": weights.embedded[f"kinds.{number}"],
                    "places": weights.embedded[f"places.{number}"].T,
                },
                0,
            )
            for number, each in enumerate(cells_among(descriptor.fields))
        ]
    return [
        Map(
            f"convolution{number}",
            "grid",
            grid.facts,
            (grid.rows, grid.columns),
            {kind: weights.arrays[f"convolutions.{number}.{kind}"] for kind in ("weight", "bias")},
            grid.count * weights.convolution,
        )
        for number, grid in enumerate(grids_of(descriptor, weights.convolution))
    ]
