"""A trained policy without torch: read-only numpy arrays, small enough to hand around."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.cells import cells_among, cells_of, other_places
from pufftui.envs.descriptor import Descriptor
from pufftui.envs.grids import LEAST_SIDE, encoder_width, grids_among
from pufftui.trainer.settings.fields import PolicyConfig


@dataclass(frozen=True, slots=True, eq=False)
class PolicyWeights:
    """The policy after `step` agent steps.

    `arrays` has the names and shapes of the torch policy's `state_dict`, an embedding made `as_one_layer`, in float32, those of its
    normaliser among them if it has one; its values are in the environment's own rewards if the reward
    scale was found while training.
    `memory` is none, mingru or lstm, `hidden` the width and `layers` the number of memory layers,
    `convolution` the channels of a convolution, 0 without one. `embedded` is what the first layer was made of where there
    was an embedding: its arrays `kinds.N` and `places.N` for cells and `weight` for the rest, as `CellEncoder` has them.
    """

    step: int
    memory: str
    hidden: int
    layers: int
    arrays: Mapping[str, NDArray[np.float32]]
    convolution: int = 0
    embedded: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    @property
    def embedding(self) -> int:
        """How many numbers a cell of a map becomes first; 0 without an embedding."""
        return self.embedded["kinds.0"].shape[1] if self.embedded else 0


def is_of_map(
    arrays: Mapping[str, NDArray[np.floating]],
    descriptor: Descriptor,
    *,
    embedding: int,
    convolution: int,
) -> bool:
    """Whether a policy with an embedding, or a convolution, of so many numbers has it of the map that an environment shows.

    `arrays` are as its checkpoint has them. True of one that has neither.
    """
    if embedding and not _is_of_cells(arrays, descriptor, embedding):
        return False
    return not convolution or _is_of_grids(arrays, descriptor, convolution)


def _is_of_cells(
    arrays: Mapping[str, NDArray[np.floating]], descriptor: Descriptor, embedding: int
) -> bool:
    cells, hidden = cells_among(descriptor.fields), len(arrays["encoder.bias"])
    others = len(other_places(descriptor, cells))
    shapes = {"encoder.weight": (hidden, others)} if others else {}
    for number, each in enumerate(cells):
        shapes[f"encoder.kinds.{number}"] = (each.classes, embedding)
        shapes[f"encoder.places.{number}"] = (hidden, each.count * embedding)
    theirs = {name for name in arrays if name.startswith("encoder.")} - {"encoder.bias"}
    return shapes.keys() == theirs and all(arrays[name].shape == shapes[name] for name in shapes)


def _is_of_grids(
    arrays: Mapping[str, NDArray[np.floating]], descriptor: Descriptor, channels: int
) -> bool:
    grids, side = grids_among(descriptor.fields), LEAST_SIDE
    shapes = {
        f"convolutions.{number}.weight": (channels, grid.classes, side, side)
        for number, grid in enumerate(grids)
    }
    theirs = {name for name in arrays if name.startswith("convolutions.")}
    theirs -= {f"convolutions.{number}.bias" for number in range(len(grids))}
    if shapes.keys() != theirs or any(arrays[name].shape != shapes[name] for name in shapes):
        return False
    return bool(arrays["encoder.weight"].shape[1] == encoder_width(descriptor, channels))


def embedded_in(arrays: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """Those of a policy's arrays that an embedding's layer is made of, by the names of `PolicyWeights.embedded`; none without one."""
    if "encoder.kinds.0" not in arrays:
        return {}
    return {
        name.removeprefix("encoder."): array
        for name, array in arrays.items()
        if name.startswith("encoder.") and name != "encoder.bias"
    }


def as_one_layer(
    arrays: Mapping[str, NDArray[np.float32]], descriptor: Descriptor, embedding: int
) -> dict[str, NDArray[np.float32]]:
    """The arrays of a policy with an embedding of so many numbers as those of one without; its first layer read-only.

    That layer is linear, so its weights for each feature say all; training alone has to know what they are made of.
    """
    found = dict(arrays)
    if not embedding:
        return found
    cells, bias = cells_of(descriptor, embedding), arrays["encoder.bias"]
    others = other_places(descriptor, cells)
    whole = np.zeros((len(bias), encoder_width(descriptor, 0)), np.float32)
    if others:
        whole[:, others] = found.pop("encoder.weight")
    for number, each in enumerate(cells):
        places = found.pop(f"encoder.places.{number}").reshape(len(bias), each.count, embedding)
        kinds, at = found.pop(f"encoder.kinds.{number}"), 0
        for first, classes in each.facts:
            own = places @ kinds[at : at + classes].T
            whole[:, first : first + each.count * classes] = own.reshape(len(bias), -1)
            at += classes
    whole.flags.writeable = False
    return found | {"encoder.weight": whole}


def weights_of(
    step: int,
    policy: PolicyConfig,
    arrays: Mapping[str, NDArray[np.float32]],
    descriptor: Descriptor,
) -> PolicyWeights:
    """The policy with these settings and the arrays (read-only) of its `state_dict`."""
    return PolicyWeights(
        step,
        policy.memory,
        policy.hidden,
        policy.layers,
        as_one_layer(arrays, descriptor, policy.embedding),
        policy.convolution,
        embedded_in(arrays),
    )


def in_own_rewards(
    arrays: Mapping[str, NDArray[np.float32]], scale: float
) -> dict[str, NDArray[np.float32]]:
    """The arrays of a policy whose values were of scaled rewards, for rewards as they are paid; read-only."""
    changed = dict(arrays)
    for name in ("heads.weight", "heads.bias"):
        array = arrays[name].copy()
        array[-1] /= np.float32(scale)
        array.flags.writeable = False
        changed[name] = array
    return changed
