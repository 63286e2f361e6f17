"""The narrow passage between the trainer's thread and everything else."""

from __future__ import annotations

import threading
import time
from collections import deque

from pufftui.trainer.health import Finding
from pufftui.trainer.messages.command import Checkpoint, Command, Stop
from pufftui.trainer.messages.snapshot import Phase, Snapshot
from pufftui.trainer.messages.weights import PolicyWeights

NOTICE_SECONDS = 60.0


class Channel:
    """Commands go up one way, snapshots and weights come down the other.

    `latest` and `weights` are replaced whole by the trainer's thread, `findings`, what is wrong now,
    by that of the health checks; all may be read from any.
    """

    def __init__(self, total_steps: int) -> None:
        self.latest = Snapshot(Phase.STARTING, "starting", total_steps=total_steps)
        self.weights: PolicyWeights | None = None
        self.findings: tuple[Finding, ...] = ()
        self._notice, self._notice_until = "", 0.0
        self._commands: deque[Command] = deque()
        self._arrived = threading.Event()
        self._stopping = False

    def send(self, command: Command) -> None:
        """Puts a command in the queue; from any thread.

        A checkpoint that is already waited for is not asked for twice: it would keep a `Stop` waiting.
        """
        if isinstance(command, Checkpoint) and command in self._commands:
            return
        self._commands.append(command)
        self._stopping = self._stopping or isinstance(command, Stop)
        self._arrived.set()

    @property
    def notice(self) -> str:
        """What a person should know for a minute, in a sentence; empty after it."""
        return self._notice if time.monotonic() < self._notice_until else ""

    def notify(self, text: str) -> None:
        """Puts up a notice; from any thread."""
        self._notice, self._notice_until = text, time.monotonic() + NOTICE_SECONDS

    def stopping(self) -> bool:
        """Whether a `Stop` has been sent, also while others wait before it."""
        return self._stopping

    def commands(self, wait: float = 0.0) -> list[Command]:
        """Takes all commands out, waiting up to `wait` seconds for the first."""
        if wait:
            self._arrived.wait(wait)
        self._arrived.clear()
        taken = []
        while self._commands:
            taken.append(self._commands.popleft())
        return taken
