"""Actions of nobody in particular."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.descriptor import ActionKind, Descriptor


def act_at_random(
    descriptor: Descriptor,
    random: np.random.Generator,
    actions: NDArray[np.int32] | NDArray[np.float32],
) -> None:
    """Fills actions (agents, components), one component after the other: each choice as likely as any other."""
    for column, action in enumerate(descriptor.actions):
        if descriptor.action_kind is ActionKind.CONTINUOUS:
            actions[:, column] = random.uniform(-1, 1, len(actions))
        else:
            actions[:, column] = random.integers(len(action.choices), size=len(actions))
