"""A line that replaces itself, and signals that are heard for a while."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import termios

import pytest

from pufftui.apps.evaluating import ProgressLine
from pufftui.apps.headless import Progress
from pufftui.terminal.replaced import ReplacedLine
from pufftui.terminal.signals import handling
from pufftui.trainer.messages.snapshot import Phase, Snapshot

CLEARED = "\r\x1b[K"
RUNNING = Snapshot(Phase.RUNNING, step=500_000, total_steps=1_000_000, score=0.5)


def drawn(columns: int, draw) -> str:
    """What a terminal of so many columns is sent."""
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with os.fdopen(inner, "w", encoding="utf-8") as stream:
        draw(stream)
        said = os.read(outer, 65536).decode()
    os.close(outer)
    return said


@pytest.mark.parametrize(
    "draw",
    [
        lambda stream: Progress(stream).show(RUNNING),
        lambda stream: ProgressLine(stream, "otter", 4000).show(2000, 123_456),
    ],
    ids=["training", "an evaluation"],
)
def test_progress_never_wraps(draw) -> None:
    """On the last column some terminals wrap, so it stays empty."""
    narrow, wide = drawn(40, draw), drawn(200, draw)
    assert len(narrow.removeprefix(CLEARED)) == 39
    assert wide.startswith(narrow.rstrip())
    assert "50 %" in wide


def test_letters_of_two_cells_are_cut_by_cells() -> None:
    said = drawn(10, lambda stream: ReplacedLine(stream).draw("世界" * 5))
    assert said == f"{CLEARED}世界世界 "


def test_a_file_gets_the_lines_that_stay(tmp_path) -> None:
    with (tmp_path / "log").open("w+") as stream:
        line = ReplacedLine(stream)
        line.draw("10 %")
        line.say("done")
        line.clear()
        stream.seek(0)
        assert stream.read() == "done\n"


def test_handlers_are_put_back() -> None:
    heard: list[int] = []
    before = signal.getsignal(signal.SIGUSR1)
    with handling({signal.SIGUSR1: lambda number, _frame: heard.append(number)}):
        signal.raise_signal(signal.SIGUSR1)
    assert heard == [signal.SIGUSR1]
    assert signal.getsignal(signal.SIGUSR1) == before
