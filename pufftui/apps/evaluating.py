"""Plays an evaluation while a line on stderr says how far it is; ctrl+c ends it and keeps what is whole."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TextIO

from pufftui.appearance.format import figure, percent, steps
from pufftui.appearance.glyphs import thin_bar
from pufftui.envs.library import EnvLibrary
from pufftui.terminal.private import passing_log, private_output
from pufftui.terminal.replaced import ReplacedLine
from pufftui.terminal.signals import handling
from pufftui.terminal.streams import are_standard

SHOWN_EVERY = 0.1
BAR = 24


@contextmanager
def to_itself(library: EnvLibrary, name: str) -> Iterator[tuple[TextIO, TextIO]]:
    """Streams that the environment's own output cannot come between; if its code ends the process, that is told."""
    if not are_standard(sys.stdout, sys.stderr):
        yield sys.stdout, sys.stderr
        return
    with passing_log("pufftui-eval-") as log:
        words = f" while {name} was evaluated\nWhat happened is in {log}\n"
        with private_output(log, words, library.path, name) as (out, errors, _guard):
            yield out, errors


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Gives what says whether ctrl+c, or another wish to end, has come; the second one ends the program."""
    asked: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    with handling(dict.fromkeys((signal.SIGINT, signal.SIGTERM), stop)):
        yield lambda: bool(asked)


class ProgressLine(ReplacedLine):
    """How far an evaluation is; nothing where stderr is no terminal."""

    def __init__(self, stream: TextIO, name: str, total: int) -> None:
        """`total` is the number of episodes."""
        super().__init__(stream)
        self._name, self._total = name, total
        self._began = time.monotonic()
        self._due = 0.0

    def show(self, episodes: int, played: int) -> None:
        """How many episodes have been counted, and their agent steps; drawn a few times a second."""
        now = time.monotonic()
        if not self.is_replaced or now < self._due:
            return
        self._due = now + SHOWN_EVERY
        share = min(episodes / self._total, 1.0) if self._total else 0.0
        speed = figure(played / max(now - self._began, 1e-3))
        full, empty = thin_bar(share, BAR)
        self.draw(
            f"{full}{empty}{percent(share, 5)}  {episodes:,} of {self._total:,} episodes  "
            f"{speed} steps/s  {steps(played)} steps  {self._name}"
        )
