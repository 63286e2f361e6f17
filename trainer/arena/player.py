"""Turns a person's keys into actions of an environment."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.descriptor import TOGETHER, ActionKind, Descriptor
from pufftui.trainer.messages.command import PressKey, ReleaseAllKeys, ReleaseKey

RAMP_SECONDS = 0.15
"""Time in which a held key pulls a continuous action from rest to its end, at natural speed."""

MOST_TYPED = 8
"""Keys typed ahead, of those that the game wants tapped; more push out the oldest."""


class Player:
    """The keys that are down and what they mean.

    A key counts at the next decision even if it is up again by then. Where held keys choose
    differently for the same component, the one pressed last wins, and with it keys that mean
    something together. Of keys that the game wants tapped, each decision takes one, the oldest.
    """

    def __init__(self, descriptor: Descriptor) -> None:
        self._continuous = descriptor.action_kind is ActionKind.CONTINUOUS
        self._neutral = [0.0 if self._continuous else a.neutral for a in descriptor.actions]
        self._meanings = [
            (keys.split(TOGETHER), component, choice)
            for component, action in enumerate(descriptor.actions)
            for choice, offered in enumerate(action.choices)
            for keys in offered.keys
        ]
        self._known = {key for keys, _, _ in self._meanings for key in keys}
        self._held: list[str] = []
        self._tapped: deque[str] = deque()
        self._wants_tapped = set(descriptor.tapped_keys)
        self._typed: deque[str] = deque(maxlen=MOST_TYPED)
        self._controls = np.zeros(len(descriptor.actions), np.float32)
        self._ramp = min(1.0, 1 / (RAMP_SECONDS * descriptor.steps_per_second))

    def obey(self, command: PressKey | ReleaseKey | ReleaseAllKeys) -> None:
        """Takes in what happened to the keys."""
        match command:
            case PressKey(key):
                self.press(key)
            case ReleaseKey(key):
                self.release(key)
            case ReleaseAllKeys():
                self.release_all()

    def press(self, key: str) -> None:
        """A key went down."""
        if key in self._wants_tapped and key in self._known:
            self._typed.append(key)
        elif key in self._known:
            self.release(key)
            self._held.append(key)
            self._tapped.append(key)

    def release(self, key: str) -> None:
        """A key went up."""
        if key in self._held:
            self._held.remove(key)

    def release_all(self) -> None:
        """Lets go of everything; taps not yet played still count."""
        self._held.clear()

    def forget(self) -> None:
        """Lets go of everything and drops taps: another agent, or the policy, plays now."""
        self._held.clear()
        self._tapped.clear()
        self._typed.clear()
        self._controls[:] = 0

    @property
    def waiting(self) -> bool:
        """Whether no key has been pressed since the last decision."""
        return not (self._tapped or self._typed)

    @property
    def idle(self) -> bool:
        """Whether no key is down, and none was since the last decision."""
        return not (self._held or self._tapped or self._typed)

    def decide(self) -> NDArray[np.float32]:
        """The action (components,) for the next step, from taps and held keys."""
        keys = [*self._held, *self._tapped]
        self._tapped.clear()
        if self._typed:
            keys.append(self._typed.popleft())
        return self._action(keys)

    def decide_turn(self) -> NDArray[np.float32]:
        """The action for one turn: the oldest tap alone; the rest waits for the next turns."""
        oldest = self._tapped or self._typed
        return self._action([oldest.popleft()] if oldest else [])

    def _action(self, keys: list[str]) -> NDArray[np.float32]:
        """What these keys choose, the one pressed last at the end."""
        chosen = [*self._neutral]
        place = {key: number for number, key in enumerate(keys)}
        found = [meaning for meaning in self._meanings if all(key in place for key in meaning[0])]
        found.sort(key=lambda meaning: (max(place[key] for key in meaning[0]), len(meaning[0])))
        for _, component, choice in found:
            chosen[component] = choice * 2 - 1 if self._continuous else choice
        wanted = np.array(chosen, np.float32)
        if not self._continuous:
            return wanted
        self._controls += np.clip(wanted - self._controls, -self._ramp, self._ramp)
        return self._controls.copy()
