"""A line that is replaced in place, as long as nobody else has the terminal."""

from __future__ import annotations

import os
from typing import TextIO

from pufftui.terminal.streams import Output, in_background

USUAL_WIDTH = 79
"""Cells of a line on a terminal that does not tell its width."""

CLEARED = "\r\x1b[K"


class ReplacedLine:
    """The last line of a stream: it is replaced on a terminal, and not shown anywhere else."""

    def __init__(self, stream: TextIO) -> None:
        self._output, self._stream = Output(stream), stream
        self.is_replaced = stream.isatty()
        """Whether the stream is a terminal."""

    def draw(self, text: str) -> None:
        """Replaces the line, but not over what another program shows on the same terminal."""
        if self._is_ours():
            # A line that wraps could not be replaced.
            self._output.write(f"{CLEARED}{_cut(text, self._width())}")

    def clear(self) -> None:
        """Makes room for another line."""
        if self._is_ours():
            self._output.write(CLEARED)

    def say(self, text: str) -> None:
        """Writes a line that stays, whatever the stream is."""
        self.clear()
        self._output.write(f"{text}\n")

    def _is_ours(self) -> bool:
        return self.is_replaced and not in_background(self._stream)

    def _width(self) -> int:
        try:
            columns = os.get_terminal_size(self._stream.fileno()).columns
        except (OSError, ValueError):
            columns = 0
        return columns - 1 if columns else USUAL_WIDTH


def _cut(text: str, width: int) -> str:
    """As much of a text as so many cells hold."""
    if text.isascii():
        return text[:width]
    from rich.cells import cell_len, set_cell_size  # takes its time, and is seldom needed

    return set_cell_size(text, width) if cell_len(text) > width else text
