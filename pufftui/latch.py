"""Keys that hold themselves: most terminals tell that a key went down, never that it went up."""

from __future__ import annotations

from pufftui.trainer.command import ArenaCommand, PressKey, ReleaseAllKeys

QUIET = 0.15
"""Seconds; a keyboard that repeats a held key is faster than this."""


class Latch:
    """Turns key presses into held keys.

    A tapped key stays down until another key is tapped. A key that comes again, tapped or repeated
    by the keyboard because it is held, is let go once it has been quiet for a moment: so a second
    tap lets go, and a key that is really held works as if its release had been seen.
    """

    def __init__(self, *, turn_based: bool) -> None:
        self._turn_based = turn_based
        self._key: str | None = None
        self._again: float | None = None

    @property
    def key(self) -> str | None:
        """The key that is down."""
        return self._key

    def press(self, key: str, now: float) -> list[ArenaCommand]:
        """A key of the game came from the keyboard."""
        if self._turn_based:
            return [PressKey(key)]
        if key == self._key:
            self._again = now
            return []
        self._key, self._again = key, None
        return [ReleaseAllKeys(), PressKey(key)]

    def tick(self, now: float) -> list[ArenaCommand]:
        """Call often; lets go of what has been quiet."""
        if self._again is not None and now - self._again > QUIET:
            return self.release()
        return []

    def release(self) -> list[ArenaCommand]:
        """Lets go of everything."""
        self._key = self._again = None
        return [ReleaseAllKeys()]
