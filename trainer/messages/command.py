"""What the world may ask: of the trainer (`Command`) and of the arena (`ArenaCommand`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pufftui.trainer.messages.follow import Follow
from pufftui.trainer.messages.weights import PolicyWeights


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
    """Change a live setting, by path (`train.learning_rate`), from the next epoch on.

    A checkpoint is written before it, unless there is a fresh one.
    """

    path: str
    value: float


@dataclass(frozen=True, slots=True)
class UndoChange:
    """Give the setting that was changed last the value back that it had."""


@dataclass(frozen=True, slots=True)
class RollBack:
    """Go back to the last checkpoint from before a step that was written while all was well.

    The learning rate is multiplied by `factor`; the other settings are those of the checkpoint.
    """

    before: int
    factor: float = 0.5
    reason: str = "you asked"


Command = Pause | Resume | Checkpoint | Stop | SetField | UndoChange | RollBack


@dataclass(frozen=True, slots=True)
class Watch:
    """Move the camera to an agent, counted from 0. Hands back if a person was playing."""

    agent: int


@dataclass(frozen=True, slots=True)
class WatchAt:
    """The same with the agent that is drawn at a place of the picture, from 0 to 1 each.

    Where the environment cannot tell, it is the next agent.
    """

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class FollowAgent:
    """Move the camera to the best or the worst agent, again and again, until `Watch`."""

    follow: Follow


@dataclass(frozen=True, slots=True)
class TakeOver:
    """The person plays the watched agent from the first key on.

    Until then its policy plays on; if the game `waits`, it stands still instead, also after each
    episode that ends while no key is down. A game of turns waits for every key anyway.
    """

    waits: bool = False


@dataclass(frozen=True, slots=True)
class Begin:
    """The person who has taken over begins, by a key that the game does not listen to."""


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
    """Lets go of every key (focus lost)."""


@dataclass(frozen=True, slots=True)
class SetSpeed:
    """Factor on the game's natural speed."""

    factor: float


@dataclass(frozen=True, slots=True)
class PauseGame:
    """Stops or continues the game; training is not affected."""

    paused: bool


@dataclass(frozen=True, slots=True)
class StepGame:
    """Pauses and goes so many decisions forth, or back if negative.

    Forth from an earlier moment means along what has happened; after that it happens anew.
    """

    decisions: int = 1


@dataclass(frozen=True, slots=True)
class Rewind:
    """Pauses and goes back in the game, as far as it is remembered.

    Whoever goes on from there, person or policy, leaves behind what came after.
    """

    seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class SetRival:
    """Begins two games from the same start, one of them played by a rival; None ends the second.

    `name` is what the rival is called, in a word.
    """

    rival: PolicyWeights | None
    name: str = "best"


@dataclass(frozen=True, slots=True)
class Record:
    """Records the steps of the watched agent, for a file in this folder.

    `source` says whose policy plays when the person does not.
    """

    folder: Path
    source: str = ""


@dataclass(frozen=True, slots=True)
class StopRecording:
    """Writes the file. So do watching and following another agent, and the end of the arena."""


@dataclass(frozen=True, slots=True)
class SetPictureSize:
    """Pixels that each picture of the next frames shall have; 0 x 0 draws nothing."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class NextView:
    """Draws the next of the game's views from now on, where it has several."""


@dataclass(frozen=True, slots=True)
class SetFrameRate:
    """Frames a second from now on, for a machine that needs its time for other things."""

    frames_per_second: float


ArenaCommand = (
    Watch
    | WatchAt
    | FollowAgent
    | TakeOver
    | Begin
    | HandBack
    | PressKey
    | ReleaseKey
    | ReleaseAllKeys
    | SetSpeed
    | PauseGame
    | StepGame
    | Rewind
    | SetRival
    | Record
    | StopRecording
    | SetPictureSize
    | NextView
    | SetFrameRate
)
