"""A value that a key press asked for: the next press builds on it, though nothing has answered yet."""

from __future__ import annotations

import math
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Asked(Generic[Value]):
    """Presses that follow each other faster than the answers come are all counted."""

    def __init__(self, patience: float = math.inf) -> None:
        """A wish that has not come true after `patience` seconds is forgotten."""
        self._patience = patience
        self._value: Value | None = None
        self._until = 0.0

    def see(self, value: Value) -> None:
        """It is so now."""
        if self._value == value:
            self._value = None

    def ask(self, value: Value, now: float) -> None:
        """It is asked for, at this time in seconds."""
        self._value, self._until = value, now + self._patience

    def over(self, seen: Value, now: float) -> Value:
        """What will be so once everything has been answered, given what is seen."""
        return seen if self._value is None or now > self._until else self._value
