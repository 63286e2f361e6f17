"""A terminal is sent no colours but those it says it has, by the game as little as by anything else."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from terminals import Terminal, live_script


@pytest.mark.parametrize("name", ["xterm", "xterm-256color"])
def test_all_writers_agree_about_colours(tmp_path: Path, name: str) -> None:
    terminal = Terminal(live_script(), tmp_path / "log.txt", TERM=name, COLORTERM="")
    try:
        terminal.read("▀".encode(), 60)
        terminal.read(seconds=2)
        os.write(terminal.screen, b"\x03\r")
        terminal.wait()
    finally:
        terminal.close()
    of_all = len(re.findall(rb"[34]8;2;", terminal.said))
    of_256 = len(re.findall(rb"[34]8;5;", terminal.said))
    assert not of_all
    assert bool(of_256) == (name == "xterm-256color")
