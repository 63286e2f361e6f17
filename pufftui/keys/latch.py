"""Keys that hold themselves: most terminals tell that a key went down, never that it went up."""

from __future__ import annotations

from collections.abc import Mapping

from pufftui.trainer.messages.command import ArenaCommand, PressKey, ReleaseAllKeys, ReleaseKey

QUIET = 0.15
"""Seconds; a keyboard that repeats a held key is faster than this."""


class Latch:
    """Turns key presses into held keys.

    A tapped key stays down until another key of the same part of the action is tapped: steering
    does not let go of the trigger. A key that comes again, tapped or repeated by the keyboard
    because it is held, is let go once it has been quiet for a moment: so a second tap lets go, and
    a key that is really held works as if its release had been seen. A key may be tapped for one
    decision, too: then nothing of its part stays down.
    """

    def __init__(self, parts: Mapping[str, int], *, turn_based: bool) -> None:
        """`parts` says of each key to which part of the action it belongs."""
        self._parts = parts
        self._turn_based = turn_based
        self._held: dict[int, str] = {}
        self._again: dict[str, float] = {}

    @property
    def keys(self) -> set[str]:
        """The keys that are down."""
        return set(self._held.values())

    def press(self, key: str, now: float) -> list[ArenaCommand]:
        """A key of the game came from the keyboard."""
        if self._turn_based:
            return [PressKey(key)]
        if key in self.keys:
            self._again[key] = now
            return []
        let_go = self._lift_part(key)
        self._held[self._parts[key]] = key
        return [*let_go, PressKey(key)]

    def tap(self, key: str) -> list[ArenaCommand]:
        """A key of the game that is to count for one decision, and not to stay down."""
        if self._turn_based:
            return [PressKey(key)]
        return [*self._lift_part(key), PressKey(key), ReleaseKey(key)]

    def tick(self, now: float) -> list[ArenaCommand]:
        """Call often; lets go of what has been quiet."""
        quiet = [key for key, since in self._again.items() if now - since > QUIET]
        return [command for key in quiet for command in self._lift(key)]

    def release(self) -> list[ArenaCommand]:
        """Lets go of everything."""
        self._held.clear()
        self._again.clear()
        return [ReleaseAllKeys()]

    def _lift_part(self, key: str) -> list[ArenaCommand]:
        """Lets go of what is down of the part of the action that a key belongs to."""
        held = self._held.get(self._parts[key])
        return [] if held is None else self._lift(held)

    def _lift(self, key: str) -> list[ArenaCommand]:
        self._again.pop(key, None)
        del self._held[self._parts[key]]
        return [ReleaseKey(key)]
