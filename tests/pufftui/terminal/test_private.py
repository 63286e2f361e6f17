"""What is left on a real terminal: after a crash, after a normal end, after native output."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from terminals import Terminal, live_script

CRASH = """
import ctypes, signal, sys, threading, time
from pathlib import Path
from pufftui.terminal.private import private_terminal

with private_terminal(Path(sys.argv[1]), " in run brisk-otter\\nThe log: log.txt\\n"):
    import termios, tty
    tty.setraw(0)
    sys.__stderr__.write("\\x1b[?1049h\\x1b[?25l\\x1b[>25uHELLO")
    sys.__stderr__.flush()
    kill = {kill}
    threading.Thread(target=kill).start()
    while True:  # the screen goes on being drawn
        sys.__stderr__.write("FRAME")
        sys.__stderr__.flush()
        time.sleep(0.001)
"""

ENDS = """
import os, sys
from pathlib import Path
from pufftui.terminal.private import private_terminal

with private_terminal(Path(sys.argv[1]), ""):
    os.write(1, b"native one\\n")
    os.write(2, b"native two\\n")
    print("python one")
    print("python two", file=sys.stderr)
    print("SCREEN", os.get_terminal_size(sys.__stdout__.fileno()).columns, file=sys.__stderr__)
    assert sys.__stderr__.isatty() and sys.__stdout__.isatty()
print("AFTER one")
print("AFTER two", file=sys.stderr)
assert sys.__stderr__ is sys.stderr
"""


@pytest.fixture
def start(tmp_path: Path):
    terminals: list[Terminal] = []

    def starting(script: str) -> Terminal:
        terminals.append(Terminal(script, tmp_path / "log.txt"))
        return terminals[-1]

    yield starting
    for terminal in terminals:
        terminal.close()


@pytest.mark.parametrize(
    ("kill", "number", "word"),
    [
        ("lambda: ctypes.string_at(0)", signal.SIGSEGV, b"segmentation fault"),
        ("lambda: ctypes.CDLL(None).abort()", signal.SIGABRT, b"abort"),
        ("lambda: signal.raise_signal(signal.SIGFPE)", signal.SIGFPE, b"arithmetic error"),
    ],
)
def test_a_crash_leaves_a_usable_terminal(start, tmp_path: Path, kill, number, word) -> None:
    terminal = start(CRASH.replace("{kill}", kill))
    assert terminal.wait() == -number
    said = terminal.said
    for sequence in (
        b"\x1b[?1049l",
        b"\x1b[?25h",
        b"\x1b[<u",
        b"\x1b[?1003l",
        b"\x1b[?2004l",
        b"\x1b[0m",
    ):
        assert said.rindex(sequence) > said.index(b"HELLO")
    message = b"pufftui: " + word + b" in run brisk-otter\r\nThe log: log.txt\r\n"
    assert message in said
    assert b"FRAME" not in said[said.index(message) :]
    assert termios.tcgetattr(terminal.inner) == terminal.before
    log = (tmp_path / "log.txt").read_text()
    assert "Fatal Python error" in log
    assert "File" in log


def test_all_output_but_the_screen_goes_to_the_log(start, tmp_path: Path) -> None:
    terminal = start(ENDS)
    assert terminal.wait() == 0, terminal.said
    lines = terminal.said.decode().split("\r\n")
    assert lines == ["SCREEN 120", "AFTER one", "AFTER two", ""]
    assert set((tmp_path / "log.txt").read_text().split("\n")) == {
        "native one",
        "native two",
        "python one",
        "python two",
        "",
    }


def test_a_size_that_a_shell_has_exported_is_not_believed(tmp_path: Path) -> None:
    terminal = Terminal(live_script(), tmp_path / "log.txt", COLUMNS="80", LINES="24")
    try:
        terminal.read(b"take over")
        terminal.read(
            b"\x1b[40;1H"
        )  # The footer lies in the last row; a part of a screen may come alone.
    finally:
        terminal.close()


def test_the_live_screen_comes_and_goes(start, tmp_path: Path) -> None:
    terminal = start(live_script())
    terminal.read(b"squared")
    terminal.read("▀".encode())
    log = tmp_path / "log.txt"
    while "STRAY OUTPUT" not in log.read_text():
        terminal.read(seconds=0.05)
        assert terminal.process.poll() is None
    os.write(terminal.screen, b"q")
    terminal.read(b"Stop training and leave?")
    os.write(terminal.screen, b"\r")
    assert terminal.wait() == 0
    said = terminal.said
    assert b"STRAY OUTPUT" not in said
    tail = said[said.rindex(b"\x1b[?1049l") :].decode()
    assert "interrupted at step" in tail
    assert "STATUS 0 1" in tail
    assert termios.tcgetattr(terminal.inner) == terminal.before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_stops_the_run_and_says_so(start, number) -> None:
    terminal = start(live_script())
    terminal.read(b"policy of step")  # the game is there, so everything has begun
    terminal.process.send_signal(number)
    assert terminal.wait() == 0
    assert b"STATUS 130 1" in terminal.said


def test_without_a_terminal_there_is_one_clear_sentence(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", ENDS, str(tmp_path / "log.txt")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "PuffError: The dashboard needs a terminal." in result.stderr
    assert not (tmp_path / "log.txt").exists()
