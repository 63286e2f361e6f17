"""What a screen with a game on it is given: an arena, and beside it a run with all it has."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pufftui.control.client import Control
from pufftui.envs.descriptor import Descriptor
from pufftui.state.opponent import Opponent
from pufftui.state.tally import Tally
from pufftui.trainer.health import Finding
from pufftui.trainer.messages.command import ArenaCommand, Command
from pufftui.trainer.messages.frame import ArenaFrame
from pufftui.trainer.messages.snapshot import Snapshot
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.run.watcher import Watcher
from pufftui.trainer.settings.fields import Config
from pufftui.trainer.store import StoreReader


class Source(Protocol):
    """Where a dashboard has its figures from: a `Runner`, or a `Watcher` of another's run."""

    @property
    def latest(self) -> Snapshot: ...

    def start(self) -> None: ...


class Trainer(Source, Protocol):
    """The side of a `Runner` that the dashboard sees, and who follows a run without a screen."""

    @property
    def config(self) -> Config: ...

    @property
    def folder(self) -> RunFolder: ...

    @property
    def findings(self) -> tuple[Finding, ...]: ...

    @property
    def started(self) -> bool: ...

    def send(self, command: Command) -> None: ...

    def join(self, timeout: float | None = None) -> bool: ...


class Stage(Protocol):
    """The side of an `Arena` that a screen sees."""

    @property
    def latest(self) -> ArenaFrame | None: ...

    @property
    def spent(self) -> float: ...

    def start(self) -> None: ...

    def send(self, command: ArenaCommand) -> None: ...

    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GameSession:
    """What every screen with a game needs. Nothing in it has been started yet."""

    arena: Stage
    descriptor: Descriptor
    clock: Callable[[], float] = time.monotonic
    tally: Tally = field(default_factory=Tally)

    @property
    def demonstrations(self) -> Path:
        """The folder for recordings."""
        return Path.cwd()

    @property
    def source(self) -> str:
        """Whose policy plays when the person does not."""
        return ""

    def start(self) -> None:
        """Starts what runs beside the screen."""
        self.arena.start()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RunSession(GameSession):
    """A run with its figures and its store: what every dashboard needs."""

    runner: Source
    folder: RunFolder
    open_store: Callable[[], StoreReader]

    @property
    def demonstrations(self) -> Path:
        return self.folder.demonstrations

    @property
    def source(self) -> str:
        return self.folder.id

    def start(self) -> None:
        self.runner.start()
        self.arena.start()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Session(RunSession):
    """A run that is trained by this process."""

    runner: Trainer
    config: Config


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class WatchSession(RunSession):
    """A run that another process trains or has trained.

    `no_game` is why there is no game to see, or empty. `logged` says that it was never
    pufftui's: another program wrote the metrics.
    """

    runner: Watcher
    no_game: str = ""
    logged: bool = False


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AttachSession(WatchSession):
    """A run that another process trains, and the way to control it."""

    control: Control

    def start(self) -> None:
        WatchSession.start(self)
        self.control.start()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PlaySession(GameSession):
    """A game to play, without training, and who plays it when the person does not."""

    opponent: Opponent

    @property
    def source(self) -> str:
        return self.opponent.name


class EmptyStage:
    """An arena without a game."""

    latest: ArenaFrame | None = None
    spent = 0.0

    def start(self) -> None:
        """Nothing begins."""

    def send(self, command: ArenaCommand) -> None:
        """Nothing is done."""

    def stop(self) -> None:
        """Nothing ends."""
