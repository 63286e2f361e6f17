"""What the arena tells the screen: one frame of the game and what the policy thinks of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.words import SheetRow, Story
from pufftui.trainer.messages.follow import Follow
from pufftui.trainer.messages.kept import Kept


@dataclass(frozen=True, slots=True, eq=False)
class RivalFrame:
    """The second game, which another policy plays from the same start; fields as in `ArenaFrame`.

    `name` says in a word which policy that is.
    """

    pixels: NDArray[np.uint8]
    policy_step: int
    episode_return: float
    last_score: float | None
    mean_score: float | None
    scored: int
    name: str = "best"


@dataclass(frozen=True, slots=True, eq=False)
class ArenaFrame:
    """One picture and the figures beside it.

    `pixels` is (height, width, 3) uint8 RGB, read-only. `probabilities` holds, per component of
    the action, the policy's probability of each choice (for continuous components: mean and
    standard deviation); `action` is what was really done, by policy or person. Episode figures
    are of the watched agent, of which `finished` episodes have ended; `last_score` is of the last
    of them and says, in `last_score_human`, whether a person played most of it. `mean_score` is
    over the `scored` episodes of all agents that the policy played.

    `waiting_for_key` is whether time stands still until the person presses a key, `expecting`
    whether the person has taken over and not begun.
    `behind` is how many seconds somebody has gone back, `reach` how many more are possible.
    `view` is the number of the view that is drawn. `sheet` is what stands beside the picture, `stories` what was
    told of the watched agent's world lately, the newest last.
    `recording` counts the steps recorded so far; `kept` is what became of the last recording.
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
    finished: int = 0
    mean_score: float | None = None
    scored: int = 0
    follow: Follow = Follow.CHOSEN
    behind: float = 0.0
    reach: float = 0.0
    recording: int | None = None
    kept: Kept | None = None
    rival: RivalFrame | None = None
    expecting: bool = False
    view: int = 0
    sheet: tuple[SheetRow, ...] = ()
    stories: tuple[Story, ...] = ()
