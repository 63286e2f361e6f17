"""Which agent the camera follows by itself."""

from __future__ import annotations

from enum import Enum

import numpy as np
from numpy.typing import NDArray


class Follow(Enum):
    """Nobody (the person chooses), or whose running episode has the best or the worst return."""

    CHOSEN = ""
    BEST = "the best"
    WORST = "the worst"

    @property
    def next(self) -> Follow:
        """The one after this, round and round."""
        ways = list(Follow)
        return ways[(ways.index(self) + 1) % len(ways)]


def followed(
    follow: Follow, returns: NDArray[np.float64], alive: NDArray[np.bool_], current: int
) -> int:
    """The agent to watch; stays with the current one unless another is really better, or worse."""
    if follow is Follow.CHOSEN or not alive.any():
        return current
    worth = returns if follow is Follow.BEST else -returns
    worth = np.where(alive, worth, -np.inf)
    best = int(worth.argmax())
    return best if worth[best] > worth[current] else current
