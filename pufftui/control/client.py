"""The other end of the control socket: a person who is attached to a run."""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path
from typing import Any

from pufftui.control.place import connect
from pufftui.control.protocol import (
    MOST_LINE,
    STATE,
    VERSION,
    Lines,
    Message,
    decode,
    encode,
    to_message,
)
from pufftui.envs.errors import PuffError
from pufftui.trainer.messages.command import Command

ANSWER_SECONDS = 5.0
"""Time in which a trainer answers, also one that is busy."""

NO_ANSWER = "The trainer does not answer; the command may not have arrived."

STATE_SECONDS = 1.0
"""Time between two questions for the state, and between two tries to connect."""


class Connection:
    """Asks and waits for the reply. Raises `OSError` if the connection breaks."""

    def __init__(self, folder: Path) -> None:
        """Connects to who trains the run in `folder`; `PuffError` if they speak otherwise."""
        self._socket = connect(folder, ANSWER_SECONDS)
        self._lines = Lines()
        self._arrived: deque[bytes] = deque()
        try:
            self.greeting = self._receive()
            _check_version(self.greeting.get("pufftui"))
        except BaseException:
            self.close()
            raise

    def ask(self, request: Message) -> dict[str, Any]:
        """The reply to a request."""
        self._socket.sendall(encode(request))
        return self._receive()

    def close(self) -> None:
        """Ends the connection."""
        self._socket.close()

    def _receive(self) -> dict[str, Any]:
        while not self._arrived:
            data = self._socket.recv(MOST_LINE)
            if not data:
                raise ConnectionResetError("The trainer has ended the connection.")
            self._arrived.extend(self._lines.feed(data))
        return decode(self._arrived.popleft())


def _check_version(theirs: object) -> None:
    if theirs != VERSION:
        raise PuffError(
            f"The trainer's control has version {theirs}, this pufftui knows {VERSION}.",
            "Use the version of pufftui that trains the run.",
        )


class Control:
    """Sends commands from a thread of its own, so that a screen never waits.

    It connects again whenever the run has a trainer again. `state` is what that said last.
    """

    def __init__(self, folder: Path) -> None:
        self.state: dict[str, Any] = {}
        self.connected = False
        self._folder = folder
        self._commands: deque[Command] = deque()
        self._complaints: deque[str] = deque()
        self._wake = threading.Event()
        self._stopping = False
        self._connection: Connection | None = None
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread once it has sent what was asked for; does not wait."""
        self._stopping = True
        self._wake.set()

    def send(self, command: Command) -> None:
        """Asks for something; what comes of it is seen in the run, or is a complaint."""
        self._commands.append(command)
        self._wake.set()

    @property
    def settings(self) -> dict[str, float]:
        """The live settings by path, as the trainer said last."""
        settings = self.state.get("settings") if self.connected else None
        return dict(settings) if isinstance(settings, dict) else {}

    def complaints(self) -> list[str]:
        """What went wrong since the last call, a sentence each."""
        return [self._complaints.popleft() for _ in range(len(self._complaints))]

    def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            self._talk()
            self._wake.wait(STATE_SECONDS)
        self._talk()
        self._disconnect()

    def _talk(self) -> None:
        try:
            if self._connection is None:
                self._connection = Connection(self._folder)
            while self._commands:
                reply = self._connection.ask(to_message(self._commands[0]))
                self._commands.popleft()
                self._take_in(reply)
            self._take_in(self._connection.ask({"do": STATE}))
            self.connected = True
        except (OSError, PuffError) as error:
            self._disconnect()
            if isinstance(error, PuffError):
                self._complaints.append(str(error))
            if self._commands:
                self._commands.clear()
                busy = isinstance(error, TimeoutError)
                self._complaints.append(NO_ANSWER if busy else "Nobody trains this run right now.")

    def _take_in(self, reply: dict[str, Any]) -> None:
        if not reply.get("ok"):
            self._complaints.append(f"{reply.get('error', '')} {reply.get('hint', '')}".strip())
        state = reply.get("state")
        if isinstance(state, dict):
            self.state = state

    def _disconnect(self) -> None:
        self.connected = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None
