"""The game of one environment after the other, each played by its newest policy, or at random."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from pufftui.envs.catalogue import find_env, load_env
from pufftui.envs.descriptor import Descriptor
from pufftui.envs.errors import PuffError
from pufftui.state.opponent import choose_opponent
from pufftui.state.rules import Rule, rules
from pufftui.trainer.arena.arena import Arena
from pufftui.trainer.messages.command import ArenaCommand
from pufftui.trainer.messages.frame import ArenaFrame
from pufftui.trainer.settings.sources import load_config

REST = 0.12
"""Seconds that the choice must rest before its game begins, so that one can hurry through the list."""


@dataclass(frozen=True, slots=True, eq=False)
class Showing:
    """A game that is on: what it is, who plays it, or what went wrong."""

    env: str
    descriptor: Descriptor | None = None
    player: str = ""
    arena: Arena | None = None
    trouble: str = ""
    rules: tuple[Rule, ...] = ()


class Preview:
    """Begins and ends games on a thread of its own; `showing` is replaced whole."""

    def __init__(self) -> None:
        self.showing = Showing("")
        self._wanted = ""
        self._size: ArenaCommand | None = None
        self._changed = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="preview", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def show(self, env: str) -> None:
        """Asks for the game of an environment."""
        if env != self._wanted:
            self._wanted = env
            self._changed.set()

    def resize(self, size: ArenaCommand) -> None:
        """How large the picture shall be, of this game and those that follow."""
        self._size = size
        if self.showing.arena is not None:
            self.showing.arena.send(size)

    @property
    def frame(self) -> ArenaFrame | None:
        """The newest picture of the game."""
        arena = self.showing.arena
        return arena.latest if arena is not None else None

    def stop(self) -> None:
        """Ends the game and the thread."""
        self._stopping = True
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping:
            self._changed.wait()
            self._changed.clear()
            time.sleep(REST)
            if self._changed.is_set() and not self._stopping:
                continue
            self._end()
            if not self._stopping and self._wanted:
                self.showing = self._begin(self._wanted)
        self._end()

    def _begin(self, env: str) -> Showing:
        try:
            id_ = find_env(env).id
            library = load_env(id_)
            opponent = choose_opponent(load_config(id_, device="cpu", files=[], flags={}), None)
            arena = Arena(library, opponent.parameters, lambda: opponent.weights, seed=1)
        except PuffError as error:
            return Showing(env, trouble=str(error))
        if self._size is not None:
            arena.send(self._size)
        arena.start()
        player = "random moves" if opponent.weights is None else opponent.name
        return Showing(env, library.descriptor, player, arena, rules=rules(env))

    def _end(self) -> None:
        arena, self.showing = self.showing.arena, Showing(self._wanted)
        if arena is not None:
            arena.stop()
