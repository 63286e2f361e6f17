"""Real runs and real terminals: processes that are started here and never outlive a test."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable

from pufftui.trainer.run.folder import RunFolder

PUFFTUI = (sys.executable, "-P", "-m", "pufftui")
SMALL = (
    *("--policy.memory", "none", "--policy.hidden", "16", "--vec.agents", "64"),
    *("--vec.threads", "1", "--train.minibatch-size", "1024", "--device", "cpu"),
)
ENDLESS = ("--train.total-steps", "1e12")


def wait_for(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Looks again and again until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def train(name: str, *arguments: str) -> subprocess.Popen[bytes]:
    """A small headless run of squared that ends when it is told to."""
    return subprocess.Popen(
        [*PUFFTUI, "train", "squared", "--headless", "--run-name", name, *SMALL, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def trains(folder: RunFolder) -> bool:
    """Whether somebody trains a run."""
    holder = folder.holder()
    return holder is not None and bool(holder.training)


def end(folder: RunFolder) -> None:
    """Kills whoever trains a run, but for this process."""
    holder = folder.holder()
    if holder is not None and holder.training and holder.process not in {None, os.getpid()}:
        with contextlib.suppress(ProcessLookupError):
            os.kill(holder.process, signal.SIGKILL)


class Terminal:
    """`pufftui`, or another program, in a terminal of its own, 120 x 40."""

    def __init__(self, *arguments: str, program: tuple[str, ...] = PUFFTUI) -> None:
        self.screen, inner = pty.openpty()
        termios.tcsetwinsize(inner, (40, 120))
        environment = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.process = subprocess.Popen(
            [*program, *arguments],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env=environment,
            start_new_session=True,
            preexec_fn=_become_owner,  # noqa: PLW1509
        )
        os.close(inner)
        self.said = b""

    def read(self, until: str, seconds: float = 60.0) -> None:
        """Reads on until the program has said something since the last key."""
        end = time.monotonic() + seconds
        while until not in self.text:
            assert time.monotonic() < end, self.text[-2000:]
            if select.select([self.screen], [], [], 0.05)[0]:
                try:
                    self.said += os.read(self.screen, 65536)
                except OSError:  # it has ended
                    assert until in self.text, self.text[-2000:]

    def drain(self, seconds: float = 0.05) -> None:
        """Takes in what is said for a moment."""
        if select.select([self.screen], [], [], seconds)[0]:
            with contextlib.suppress(OSError):  # it has ended
                self.said += os.read(self.screen, 65536)

    @property
    def text(self) -> str:
        """What was said, without the commands for the terminal."""
        return re.sub(r"\x1b\[[0-9;?<>=]*[a-zA-Z]", "", self.said.decode(errors="replace"))

    def press(self, key: str) -> None:
        """Presses a key; what was said before is forgotten."""
        self.said = b""
        os.write(self.screen, key.encode())

    def wait(self, seconds: float = 60.0) -> int:
        """Reads to the end; the exit status."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.screen], [], [], 0.05)[0]:
                try:
                    self.said += os.read(self.screen, 65536)
                except OSError:
                    break
            elif self.process.poll() is not None:
                break
        return self.process.wait(10)

    def hang_up(self) -> None:
        """The terminal goes away."""
        os.close(self.screen)
        self.screen = -1

    def close(self) -> None:
        """Ends the program and the terminal."""
        self.process.kill()
        self.process.wait()
        if self.screen >= 0:
            os.close(self.screen)


def _become_owner() -> None:
    """Makes the terminal the controlling one, so that it can hang up."""
    import fcntl

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
