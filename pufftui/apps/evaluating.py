"""Plays an evaluation while a line on stderr says how far it is; ctrl+c ends it and keeps what is whole."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TextIO

from pufftui.appearance.format import cells, cut, figure, percent, steps
from pufftui.appearance.glyphs import thin_bar
from pufftui.envs.library import EnvLibrary
from pufftui.terminal.private import passing_log, private_output
from pufftui.terminal.streams import Output, are_standard, in_background, masked, masking

SHOWN_EVERY = 0.1
BAR = 24
USUAL_WIDTH = 79


@contextmanager
def to_itself(library: EnvLibrary, name: str) -> Iterator[tuple[TextIO, TextIO]]:
    """Streams that the environment's own output cannot come between; if its code ends the process, that is told."""
    if not are_standard(sys.stdout, sys.stderr):
        yield sys.stdout, sys.stderr
        return
    mask = masking(sys.stderr)
    with passing_log("pufftui-eval-") as log:
        words = f" while {name} was evaluated\nWhat happened is in {log}\n"
        with private_output(log, mask(words)) as (out, errors, guard):
            guard.suspect(library.path, name)
            yield masked(out, masking(sys.stdout)), masked(errors, mask)


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Gives what says whether ctrl+c, or another wish to end, has come; the second one ends the program."""
    asked: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class ProgressLine:
    """A line that replaces itself; nothing where stderr is no terminal."""

    def __init__(self, stream: TextIO, name: str, total: int) -> None:
        """`total` is the number of episodes."""
        self._output, self._stream = Output(stream), stream
        self._name, self._total = name, total
        self._terminal = stream.isatty()
        self._began = time.monotonic()
        self._due = 0.0

    def show(self, episodes: int, played: int) -> None:
        """How many episodes have been counted, and their agent steps; drawn a few times a second."""
        now = time.monotonic()
        if not self._terminal or now < self._due or in_background(self._stream):
            return
        self._due = now + SHOWN_EVERY
        share = min(episodes / self._total, 1.0) if self._total else 0.0
        speed = figure(played / max(now - self._began, 1e-3))
        full, empty = thin_bar(share, BAR)
        line = (
            f"{full}{empty}{percent(share, 5)}  {episodes:,} of {self._total:,} episodes  "
            f"{speed} steps/s  {steps(played)} steps  {self._name}"
        )
        # A line that wraps could not be replaced.
        self._output.write(f"\r\x1b[K{cut(line, min(self._width(), cells(line)))}")

    def _width(self) -> int:
        try:
            columns = os.get_terminal_size(self._stream.fileno()).columns
        except (OSError, ValueError):
            columns = 0
        return columns - 1 if columns else USUAL_WIDTH

    def clear(self) -> None:
        """Makes room for another line."""
        if self._terminal and not in_background(self._stream):
            self._output.write("\r\x1b[K")
