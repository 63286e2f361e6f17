"""Which metrics a person sees and in which order, of as many as a run may have."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Collection, Sequence

from pufftui.charts.explain import explain
from pufftui.trainer.messages.snapshot import LOSSES

FIRST = (
    *("score", "perf", "episode_return", "episode_length", "sps"),
    *LOSSES,
    *("learning_rate", "reward_size", "reward_nonzero", "clamped_rewards", "weight_norm"),
)
"""The metrics that come first; others follow in the order in which they came."""

LEFT_OUT = ("score_low", "score_high", "provisional_steps", "best_score")
"""Metrics that belong to another one."""

Words = tuple[str, str]
"""A metric's name and what it is called, in small letters."""


class Listing:
    """Keeps what it found: names are gone through when there are more, or other ones are wanted."""

    def __init__(self) -> None:
        self._names: Sequence[str] = ()
        self._count = 0
        self._ordered: list[str] = []
        self._words: dict[str, Words] = {}
        self._wanted: tuple[str, frozenset[str]] | None = None
        self._shown: list[str] = []

    def shown(self, names: Sequence[str], pattern: str, hidden: Collection[str]) -> Sequence[str]:
        """The metrics that match a pattern; without one, all that are not hidden.

        `names` may be the same list as before, with more at its end.
        """
        if names is not self._names or len(names) != self._count:
            self._names, self._count, self._wanted = names, len(names), None
            self._ordered = _in_order(names)
        wanted = pattern, frozenset(hidden)
        if wanted != self._wanted:
            self._wanted = wanted
            self._shown = self._matching(pattern) if pattern else _without(self._ordered, hidden)
        return self._shown

    def _matching(self, pattern: str) -> list[str]:
        holds = _matcher(pattern)
        return [name for name in self._ordered if holds(self._words_of(name))]

    def _words_of(self, name: str) -> Words:
        words = self._words.get(name)
        if words is None:
            words = self._words[name] = name.lower(), explain(name).label.lower()
        return words


def _matcher(pattern: str) -> Callable[[Words], bool]:
    """Tells whether a metric's name or its words hold the text, or match a pattern with * and ?."""
    wanted = pattern.lower()
    if any(sign in wanted for sign in "*?"):
        match = re.compile(fnmatch.translate(wanted)).match
        return lambda words: any(match(one) for one in words)
    return lambda words: wanted in words[0] or wanted in words[1]


def _in_order(names: Sequence[str]) -> list[str]:
    there, apart = set(names), {*FIRST, *LEFT_OUT}
    first = [name for name in FIRST if name in there]
    return first + [name for name in names if name not in apart]


def _without(names: Sequence[str], hidden: Collection[str]) -> list[str]:
    return [name for name in names if name not in hidden]
