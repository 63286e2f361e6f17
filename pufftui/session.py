"""What the dashboard is given: a run, its trainer, its arena, its store."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pufftui.envs.descriptor import Descriptor
from pufftui.trainer.command import ArenaCommand, Command
from pufftui.trainer.config import Config
from pufftui.trainer.frame import ArenaFrame
from pufftui.trainer.run_folder import RunFolder
from pufftui.trainer.snapshot import Snapshot
from pufftui.trainer.store import StoreReader


class Trainer(Protocol):
    """The side of a `Runner` that the dashboard sees."""

    @property
    def latest(self) -> Snapshot: ...

    def start(self) -> None: ...

    def send(self, command: Command) -> None: ...

    def join(self, timeout: float | None = None) -> bool: ...


class Stage(Protocol):
    """The side of an `Arena` that the dashboard sees."""

    @property
    def latest(self) -> ArenaFrame | None: ...

    def start(self) -> None: ...

    def send(self, command: ArenaCommand) -> None: ...

    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """Everything a live screen needs. Neither trainer nor arena has been started yet."""

    runner: Trainer
    arena: Stage
    folder: RunFolder
    config: Config
    descriptor: Descriptor
    open_store: Callable[[], StoreReader]
    clock: Callable[[], float] = time.monotonic
