"""A trained policy without torch: read-only numpy arrays, small enough to hand around."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class PolicyWeights:
    """The policy after `step` agent steps.

    `arrays` has the names and shapes of the torch policy's `state_dict`, in float32;
    `memory` is none, mingru or lstm, `hidden` the width and `layers` the number of memory layers,
    `convolution` the channels of a convolution, 0 without one.
    """

    step: int
    memory: str
    hidden: int
    layers: int
    arrays: Mapping[str, NDArray[np.float32]]
    convolution: int = 0
