"""How much work something is, as the number of calls it makes: the same on every machine."""

from __future__ import annotations

import sys
from collections.abc import Callable


class Counter:
    """The calls so far, of Python and of C."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, _frame: object, event: str, _argument: object) -> None:
        self.calls += event in ("call", "c_call")


def counted(action: Callable[[], object]) -> int:
    """The calls that an action makes."""
    counter, before = Counter(), sys.getprofile()
    sys.setprofile(counter)
    try:
        action()
    finally:
        sys.setprofile(before)
    return counter.calls


def calls(action: Callable[[], object]) -> int:
    """The calls that an action makes the second time, when all is imported and opened."""
    action()
    return counted(action)
