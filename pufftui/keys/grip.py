"""How a person holds keys: for real where the terminal tells that they are let go, else latched."""

from __future__ import annotations

from textual.keys import Keys

from pufftui.envs.descriptor import Descriptor
from pufftui.keys.game import game_parts
from pufftui.keys.latch import QUIET, Latch
from pufftui.trainer.messages.command import ArenaCommand, PressKey, ReleaseKey

SHIFTS = ("left_shift", "right_shift")

MODIFIERS = {
    *(f"{side}_{name}" for side in ("left", "right") for name in ("shift", "control", "alt")),
    *(f"{side}_{name}" for side in ("left", "right") for name in ("super", "hyper", "meta")),
    *("iso_level3_shift", "iso_level5_shift", "caps_lock", "num_lock", "scroll_lock"),
}
"""Keys that belong to other keys, as terminals call them that report them at all."""

ALONE_SECONDS = 0.4
"""How long Shift is held alone before it means that the person wants to play."""


class Grip:
    """Turns what happens on the keyboard into commands for the arena.

    `real` is whether the terminal reports that keys are let go.
    """

    def __init__(self, descriptor: Descriptor) -> None:
        self.real = False
        self._turn_based = descriptor.turn_based
        self._latch = Latch(game_parts(descriptor), turn_based=descriptor.turn_based)
        self._down: set[str] = set()
        self._tapped = frozenset(descriptor.tapped_keys)
        self._last_tap: dict[str, float] = {}

    @property
    def words(self) -> str:
        """How keys work, in two words."""
        if self._turn_based:
            return "a key, a move"
        return "keys held" if self.real else "keys latch"

    @property
    def empty(self) -> bool:
        """Whether no key is down."""
        return not (self._latch.keys or self._down)

    def type(self, key: str, now: float, *, shift: bool = False) -> list[ArenaCommand]:
        """A key of the game was typed, as every terminal tells; with `shift` for one decision."""
        if not self.real:
            if key in self._tapped:
                return self._tap(key, now)
            return self._latch.tap(key) if shift else self._latch.press(key, now)
        # Mostly it has been seen going down before; if not, or with Shift, it is a tap.
        return [] if key in self._down else [PressKey(key), ReleaseKey(key)]

    def _tap(self, key: str, now: float) -> list[ArenaCommand]:
        """A key that the game wants tapped; where the keyboard repeats it, it is being held."""
        last = self._last_tap.get(key, -QUIET)
        self._last_tap[key] = now
        return [] if now - last < QUIET else self._latch.tap(key)

    def press(self, key: str) -> list[ArenaCommand]:
        """A key of the game was seen going down, or repeats."""
        if not self.real or (key in self._tapped and key in self._down):
            return []
        self._down.add(key)
        return [PressKey(key)]

    def lift(self, key: str) -> list[ArenaCommand]:
        """A key of the game went up."""
        self._down.discard(key)
        return [ReleaseKey(key)]

    def tick(self, now: float) -> list[ArenaCommand]:
        """Call often; lets go of latched keys that have been quiet."""
        return self._latch.tick(now)

    def let_go(self) -> list[ArenaCommand]:
        """Lets go of everything."""
        self._down.clear()
        return self._latch.release()


def begins(key: str) -> bool:
    """Whether a key is one that a person presses for itself, by the name it was typed with."""
    return key != Keys.Ignore and key.rpartition("+")[2] not in MODIFIERS


class ShiftHold:
    """Tells Shift that is held alone from Shift that belongs to another key."""

    def __init__(self) -> None:
        self._down: set[str] = set()
        self._since: float | None = None

    @property
    def down(self) -> bool:
        """Whether Shift is down, alone or not."""
        return not self._down.isdisjoint(SHIFTS)

    def press(self, key: str, now: float) -> None:
        """Any key went down, or repeats."""
        if key not in self._down:
            alone = key in SHIFTS and not self._down
            self._since = now if alone else None
            self._down.add(key)

    def lift(self, key: str) -> None:
        """Any key went up."""
        self._down.discard(key)
        if key in SHIFTS:
            self._since = None

    def held(self, now: float) -> bool:
        """Whether Shift has been alone long enough; true once for each time it is held."""
        if self._since is None or now - self._since < ALONE_SECONDS:
            return False
        self._since = None
        return True

    def forget(self) -> None:
        """Nobody knows any more which keys are down."""
        self._down.clear()
        self._since = None
