"""The dashboard inside tmux, read back from tmux: what a person at the other end of ssh sees."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from terminals import live_script

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux here")


class Tmux:
    """A program in a window of a tmux server of its own."""

    def __init__(self, folder: Path, script: str) -> None:
        self.socket = folder / "tmux"
        (folder / "script.py").write_text(script)
        command = [sys.executable, str(folder / "script.py"), str(folder / "run" / "log.txt")]
        (folder / "run").mkdir()
        # What it prints at last stays to be read, and the shell's status after it.
        line = f"{shlex.join(command)}; echo LEFT; sleep 60"
        self.run("-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "40", line)

    def run(self, *arguments: str) -> str:
        return subprocess.run(
            ["tmux", "-u", "-S", str(self.socket), *arguments],
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def rows(self) -> list[str]:
        """What the window shows, row by row."""
        return self.run("capture-pane", "-p").split("\n")[:-1]

    def see(self, *wanted: str, without: str = "") -> list[str]:
        """The rows, once all of this stands in them."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            rows = self.rows()
            text = "\n".join(rows)
            if all(words in text for words in wanted) and not (without and without in text):
                return rows
            time.sleep(0.1)
        raise AssertionError("\n".join(rows))

    def press(self, *keys: str) -> None:
        self.run("send-keys", *keys)


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    server = Tmux(tmp_path, live_script())
    yield server
    server.run("kill-server")


def test_the_dashboard_in_tmux(tmux: Tmux) -> None:
    rows = tmux.see("arena", "▀", "policy of step", "healthy")
    assert rows[0].startswith(" pufftui  ")
    assert "take over" in rows[-1]
    assert not any("[?" in row or "2026" in row for row in rows)

    tmux.press("m")
    tmux.see("you play", "esc")
    tmux.press("Escape")
    tmux.see("arena", without="you play")

    # A dialog lies over the game, and nothing of it is left when it goes.
    tmux.press("e")
    tmux.see("No setting to change")
    tmux.press("?")
    tmux.see("play the watched agent")
    tmux.press("Escape")
    rows = tmux.see("arena", "policy of step", without="play the watched agent")
    assert len(rows) == 40

    tmux.run("resize-window", "-x", "80", "-y", "24")
    rows = tmux.see("keys", without="learning")
    assert len(rows) == 24
    assert rows[0].startswith(" squared · run")
    assert "take over" in rows[-1]

    tmux.press("q")
    tmux.see("Stop training and leave?")
    tmux.press("Enter")
    tmux.see("interrupted at step", "STATUS 0", "LEFT")
