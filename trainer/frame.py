"""What the arena tells the screen: one frame of the game and what the policy thinks of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class ArenaFrame:
    """One picture and the figures beside it.

    `pixels` is (height, width, 3) uint8 RGB, read-only. `probabilities` holds, per component of
    the action, the policy's probability of each choice (for continuous components: mean and
    standard deviation); `action` is what was really done, by policy or person. Episode figures
    are of the watched agent; `last_score` is of its last finished episode and says, in
    `last_score_human`, whether a person played any of it.
    """

    number: int
    pixels: NDArray[np.uint8]
    agent: int
    agents: int
    human: bool
    paused: bool
    speed: float
    waiting_for_key: bool
    policy_step: int | None
    probabilities: tuple[NDArray[np.float32], ...]
    action: tuple[float, ...]
    value: float | None
    episode_return: float
    episode_length: int
    last_score: float | None
    last_score_human: bool
    best_human_score: float | None
