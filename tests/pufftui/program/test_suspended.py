"""Ctrl+z gives the terminal back to the shell, and fg brings the screen again; the window has a safe title."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from terminals import Terminal, live_script


def state(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def test_the_screen_steps_aside_and_comes_back(tmp_path: Path) -> None:
    terminal = Terminal(live_script(), tmp_path / "log.txt")
    try:
        terminal.read("▀".encode(), 60)
        assert b"\x1b]2;pufftui\x1b\\" in terminal.said
        assert b"\x1b]22;" not in terminal.said
        os.write(terminal.screen, b"\x1a")
        terminal.read(b"\x1b[?1049l")
        end = time.monotonic() + 20
        while state(terminal.process.pid) != "T" and time.monotonic() < end:
            time.sleep(0.05)
        assert state(terminal.process.pid) == "T"
        assert b"\x1b[23;2t" in terminal.said
        terminal.said = b""
        os.kill(terminal.process.pid, signal.SIGCONT)
        terminal.read(b"\x1b[?1049h")
        terminal.read("▀".encode())
        os.write(terminal.screen, b"\x03\r")
        assert terminal.wait() == 0
    finally:
        terminal.close()
