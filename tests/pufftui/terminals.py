"""Programs on a real terminal of their own: a pty, read byte by byte."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import termios
import time
from pathlib import Path

HERE = Path(__file__).parent

LIVE = """
import os, sys, threading, time
from pathlib import Path
sys.path.insert(0, {here!r})
from fakes import fake_session
from pufftui.apps.live import run_live
from pufftui.apps.options import Wishes

session = fake_session(Path(sys.argv[1]).parent / {run!r}, clock=time.monotonic, threaded=True)
threading.Timer(1.0, lambda: os.write(2, b"STRAY OUTPUT")).start()
status = run_live(session, Wishes({wishes}))
print("STATUS", status, len(session.runner.sent))
"""


def live_script(wishes: str = "", run: str = "") -> str:
    """A dashboard of pretenders; `wishes` are written as arguments, `run` names the run."""
    return LIVE.format(here=str(HERE), wishes=wishes, run=run)


class Terminal:
    """A program in a pty of its own, 120 x 40."""

    def __init__(self, script: str, log: Path, **environment: str) -> None:
        self.screen, inner = pty.openpty()
        termios.tcsetwinsize(inner, (40, 120))
        self.before = termios.tcgetattr(inner)
        told = {"TERM": "xterm-256color", "COLORTERM": "truecolor"} | environment
        self.process = subprocess.Popen(
            [sys.executable, "-c", script, str(log)],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env=os.environ | told,
            start_new_session=True,
        )
        self.inner = inner
        self.said = b""

    def read(self, until: bytes = b"", seconds: float = 20.0) -> bytes:
        """Reads on until the program has said something, or has ended."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and (not until or until not in self.said):
            if select.select([self.screen], [], [], 0.05)[0]:
                self.said += os.read(self.screen, 65536)
            elif self.process.poll() is not None:
                break
        assert not until or until in self.said, self.said[-2000:]
        return self.said

    def wait(self) -> int:
        self.read()
        return self.process.wait(10)

    def close_window(self) -> None:
        """Takes the terminal away from under the program."""
        os.close(self.inner)
        os.close(self.screen)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.inner)
        os.close(self.screen)
