"""What the world may ask: of the trainer (`Command`) and of the arena (`ArenaCommand`)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pause:
    """Stop training at the next epoch boundary, keep everything."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on after a pause."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Write a checkpoint at the next epoch boundary, unless there is one younger than `spare` seconds."""

    reason: str = "you asked"
    spare: float = 0.0


@dataclass(frozen=True, slots=True)
class Stop:
    """Write a checkpoint and end."""


@dataclass(frozen=True, slots=True)
class SetField:
    """Change a live setting, by path (`train.learning_rate`), from the next epoch on."""

    path: str
    value: float


@dataclass(frozen=True, slots=True)
class RollBack:
    """Go back to the last checkpoint from before a step that was written while all was well.

    The learning rate is multiplied by `factor`; the other settings are those of the checkpoint.
    """

    before: int
    factor: float = 0.5
    reason: str = "you asked"


Command = Pause | Resume | Checkpoint | Stop | SetField | RollBack


@dataclass(frozen=True, slots=True)
class Watch:
    """Move the camera to an agent, counted from 0. Hands back if a person was playing."""

    agent: int


@dataclass(frozen=True, slots=True)
class TakeOver:
    """The person plays the watched agent; its policy is no longer asked."""


@dataclass(frozen=True, slots=True)
class HandBack:
    """The policy plays again."""


@dataclass(frozen=True, slots=True)
class PressKey:
    """A key went down. It counts at the next decision, even if it is released before."""

    key: str


@dataclass(frozen=True, slots=True)
class ReleaseKey:
    """A key went up."""

    key: str


@dataclass(frozen=True, slots=True)
class ReleaseAllKeys:
    """Lets go of every key (focus lost, or a latched key replaced)."""


@dataclass(frozen=True, slots=True)
class SetSpeed:
    """Factor on the game's natural speed."""

    factor: float


@dataclass(frozen=True, slots=True)
class PauseGame:
    """Stops or continues the game; training is not affected."""

    paused: bool


@dataclass(frozen=True, slots=True)
class SetPictureSize:
    """Pixels that the next frames shall have; 0 x 0 draws nothing."""

    width: int
    height: int


ArenaCommand = (
    Watch
    | TakeOver
    | HandBack
    | PressKey
    | ReleaseKey
    | ReleaseAllKeys
    | SetSpeed
    | PauseGame
    | SetPictureSize
)
