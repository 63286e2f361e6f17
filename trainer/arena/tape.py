"""The last half minute of a game, to go back to and to go on from differently.

It holds the whole game once a second, if there is room for that, and the actions in between, from which
every step is played again exactly.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from pufftui.trainer.arena.game import Actions, Game, Moment

SECONDS = 30
"""Time that can be gone back, of the game at its natural speed."""

MOST_BYTES = 64 << 20
"""A large game is held less often, with more to play again in between; one of which not even two moments
fit is remembered for less than that time."""

MOVE_BYTES = 200
"""What Python needs for a move beside its actions."""


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """The actions of all agents in one step; a person chose that of `person`."""

    actions: Actions
    person: int | None


@dataclass(slots=True, eq=False)
class Stretch:
    """The game as it was, and the moves from there on."""

    start: Moment
    start_size: int
    moves: list[Move] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes that it takes, nearly."""
        each = self.moves[0].actions.nbytes + MOVE_BYTES if self.moves else 0
        return self.start_size + each * len(self.moves)

    @property
    def end(self) -> int:
        """Steps of the game after the last move."""
        return self.start.steps + len(self.moves)


class Tape:
    """Plays a game and remembers it: `decide`, then `play`, as with the game itself.

    Who goes on from an earlier step leaves behind what came after it.
    """

    def __init__(self, game: Game, most_bytes: int = MOST_BYTES) -> None:
        self.game = game
        rate = game.descriptor.steps_per_second
        self._every = max(1, round(rate))
        self._kept = max(1, round(SECONDS * rate))
        self._most_bytes = most_bytes
        self._stretches: deque[Stretch] = deque()
        self._too_large = game.vector.saved_size > most_bytes

    @property
    def first(self) -> int:
        """The earliest step that can be gone back to."""
        return self._stretches[0].start.steps if self._stretches else self.game.steps

    @property
    def last(self) -> int:
        """The latest step that can be gone forth to."""
        return self._stretches[-1].end if self._stretches else self.game.steps

    def decide(self) -> Actions:
        """What the policy does next. What was played after this step before is forgotten."""
        self._branch()
        if not self._stretches or len(self._stretches[-1].moves) >= self._every:
            self._begin_stretch()
        return self.game.decide()

    def play(self, actions: Actions, person: int | None = None) -> list[int]:
        """`Game.step`, remembered."""
        if self._stretches:
            self._stretches[-1].moves.append(Move(actions.copy(), person))
        ended = self.game.step(actions, person)
        self._forget()
        return ended

    def seek(self, step: int) -> None:
        """Goes to the remembered step that is nearest to this one, back or forth."""
        game, step = self.game, min(max(step, self.first), self.last)
        if step == game.steps:
            return
        stretch = next(s for s in reversed(self._stretches) if s.start.steps <= step)
        start = stretch.start.steps
        if not start <= game.steps < step:
            game.restore(stretch.start)
        for move in stretch.moves[game.steps - start : step - start]:
            game.decide()  # so that the policy remembers it, and thinks of it what it would now
            game.step(move.actions, move.person, again=True)

    def _branch(self) -> None:
        """Leaves the future behind, and marks the episodes that somebody went back in."""
        steps = self.game.steps
        if steps == self.last:
            return
        while self._stretches and self._stretches[-1].start.steps >= steps:
            self._stretches.pop()
        if self._stretches:
            newest = self._stretches[-1]
            del newest.moves[steps - newest.start.steps :]
        self.game.figures["went_back"] = True
        self._begin_stretch()

    def _begin_stretch(self) -> None:
        if self._too_large:
            return
        moment = self.game.save()
        self._too_large = moment.size > self._most_bytes
        if not self._too_large:
            self._stretches.append(Stretch(moment, moment.size))
            self._every = max(self._every, self._least_every(moment.size))

    def _least_every(self, size: int) -> int:
        """Steps between two moments of that size with which all of the time fits."""
        moves = (self.game.buffers.actions.nbytes + MOVE_BYTES) * 2 * self._kept
        # The oldest stretch reaches back beyond that time, and the newest has just begun.
        stretches = (self._most_bytes - moves) // size - 1
        return math.ceil(self._kept / stretches) if stretches > 0 else self._every

    def _forget(self) -> None:
        """Drops the oldest: what is too long ago, or does not fit."""
        while self._stretches and (
            self._stretches[0].end + self._kept <= self.game.steps
            or sum(stretch.size for stretch in self._stretches) > self._most_bytes
        ):
            self._stretches.popleft()
