"""A trained policy without torch: read-only numpy arrays, small enough to hand around."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class PolicyWeights:
    """The policy after `step` agent steps.

    `arrays` has the names and shapes of the torch policy's `state_dict`, in float32, those of its
    normaliser among them if it has one; its values are in the environment's own rewards if the reward
    scale was found while training.
    `memory` is none, mingru or lstm, `hidden` the width and `layers` the number of memory layers,
    `convolution` the channels of a convolution, 0 without one.
    """

    step: int
    memory: str
    hidden: int
    layers: int
    arrays: Mapping[str, NDArray[np.float32]]
    convolution: int = 0


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
