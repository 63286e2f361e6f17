"""The real program in a terminal of the system, and what a person would see there."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Mapping

import pyte

PROGRAM = (sys.executable, "-m", "pufftui")
"""The scripts run in the Python in which pufftui is installed."""

NAMED_KEYS = {
    "enter": b"\r",
    "escape": b"\x1b",
    "space": b" ",
    "up": b"\x1b[A",
    "down": b"\x1b[B",
    "right": b"\x1b[C",
    "left": b"\x1b[D",
    "ctrl+c": b"\x03",
}

# pyte would print these or take them for others: strings to the terminal (OSC, DCS and their like)
# and control sequences with a private mark or an intermediate byte, except its own `?` modes.
FOREIGN = re.compile(
    rb"\x1b[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\)"
    rb"|\x1b\[[<=>][\d;:]*[@-~]"
    rb"|\x1b\[\??[\d;:]*[ -/]+[@-~]"
    rb"|\x1b\[\?[\d;:]*u"
)
UNFINISHED = re.compile(rb"\x1b(?:\[[ -?]*|[\]P_^X][^\x07\x1b]*\x1b?)?\Z")

Cells = list[list[pyte.screens.Char]]
"""A screen, row by row."""

ANSWERS = {b"\x1b[6n": b"\x1b[1;1R", b"\x1b[c": b"\x1b[?62;22c"}
"""What the program asks its terminal: where the cursor is, and what kind it is."""


class Terminal:
    """A program on a terminal of its own; `screen` is what stands there."""

    def __init__(
        self, *arguments: str, columns: int, rows: int, variables: Mapping[str, str] | None = None
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._rest = b""
        self._process, self._end = pty.fork()
        if self._process == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", **(variables or {}))
            os.execv(PROGRAM[0], [*PROGRAM, *arguments])  # noqa: S606
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self._end, termios.TIOCSWINSZ, size)

    def press(self, key: str) -> None:
        """Types a key, by its name or as the letter that it is."""
        os.write(self._end, NAMED_KEYS.get(key, key.encode()))

    def run(self, seconds: float) -> None:
        """Shows what the program writes for some time; raises `EOFError` when it has ended."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if select.select([self._end], [], [], left)[0]:
                self._show(self._read())

    def wait(self, seen: Callable[[str], object], seconds: float = 120) -> None:
        """Goes on until `seen` is true of the text on the screen."""
        until = time.monotonic() + seconds
        while not seen(self.text):
            if time.monotonic() > until:
                raise TimeoutError(self.text)
            self.run(0.1)

    def cells(self) -> Cells:
        """What is on the screen now; it stays when the screen changes."""
        screen = self.screen
        return [
            [screen.buffer[row][column] for column in range(screen.columns)]
            for row in range(screen.lines)
        ]

    @property
    def text(self) -> str:
        """The letters on the screen, line by line."""
        return "\n".join(self.screen.display)

    def close(self) -> None:
        """Ends the program as the closing of its window would."""
        os.kill(self._process, signal.SIGHUP)
        try:
            self.run(30)
        except EOFError:
            pass
        finally:
            os.close(self._end)
            os.waitpid(self._process, 0)

    def _read(self) -> bytes:
        try:
            data = os.read(self._end, 1 << 16)
        except OSError:
            data = b""
        if not data:
            raise EOFError(self.text)
        return data

    def _show(self, data: bytes) -> None:
        for question, answer in ANSWERS.items():
            if question in data:
                os.write(self._end, answer)
        data = self._rest + data
        # A sequence may be cut between two reads; its beginning waits for the rest.
        cut = UNFINISHED.search(data)
        whole = data[: cut.start()] if cut else data
        self._rest = data[len(whole) :]
        self._stream.feed(FOREIGN.sub(b"", whole))
