"""The trainer's end of the control socket: one thread for any number of clients."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pufftui.control.place import is_own, listen
from pufftui.control.protocol import (
    MOST_LINE,
    NOTE,
    STATE,
    VERSION,
    Lines,
    decode,
    encode,
    to_command,
    to_note,
)
from pufftui.control.report import finite, report
from pufftui.envs.errors import PuffError
from pufftui.trainer.messages.command import Pause, RollBack, SetField, UndoChange
from pufftui.trainer.runner import Runner
from pufftui.trainer.settings.fields import check_live
from pufftui.trainer.settings.job import job_from_environment
from pufftui.trainer.store import add_note

LOOK_SECONDS = 0.5
"""Time between two looks whether training has ended."""

MOST_CLIENTS = 32
MOST_UNREAD = 4 * MOST_LINE
"""Bytes that a client may leave unread before it is dropped."""


@contextmanager
def control(runner: Runner) -> Iterator[str]:
    """Lets others control a run while it is trained; why not, if there is no place for a socket."""
    try:
        server = ControlServer(runner)
    except OSError as error:
        yield f"This run cannot be attached to: {error.strerror or error}."
        return
    server.start()
    try:
        yield ""
    finally:
        server.stop()


class ControlServer:
    """Passes commands on to the runner until training ends. Nobody's misbehaviour stops it."""

    def __init__(self, runner: Runner) -> None:
        """Listens; raises `OSError` if there is no place for a socket."""
        self._runner = runner
        self._selector = selectors.DefaultSelector()
        self._listen()
        self._clients: dict[socket.socket, Client] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and takes the socket away."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set() and not self._runner.latest.phase.ended:
            self._stay_reachable()
            for key, ready in self._selector.select(LOOK_SECONDS):
                if key.fileobj is self._listener:
                    self._welcome()
                else:
                    client: Client = key.data
                    if not client.serve(ready):
                        self._drop(client)
        self._close()

    def _listen(self) -> None:
        self._folder = self._runner.folder.path
        self._listener, self._files = listen(self._folder)
        self._own = {path: _identity(path) for path in self._files}
        self._selector.register(self._listener, selectors.EVENT_READ)

    def _stay_reachable(self) -> None:
        """Listens anew if the run's folder has another name, or is another one, and has no socket of ours."""
        place = self._files[0]
        now = self._runner.folder.path / place.name
        if _identity(now) == self._own[place]:
            if now != place:
                self._own[now] = self._own.pop(place)
                self._files[0] = now
        elif now.parent != self._folder or not now.exists():
            old = self._listener
            with contextlib.suppress(OSError):
                self._listen()
                self._selector.unregister(old)
                old.close()

    def _welcome(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        if len(self._clients) >= MOST_CLIENTS or not is_own(connection):
            connection.close()
            return
        connection.setblocking(False)
        client = Client(connection, self)
        self._clients[connection] = client
        self._selector.register(connection, selectors.EVENT_READ, client)
        greeting = {"pufftui": VERSION, "run": self._runner.folder.id, "process": os.getpid()}
        if not client.say(greeting):
            self._drop(client)

    def _drop(self, client: Client) -> None:
        self._selector.unregister(client.connection)
        del self._clients[client.connection]
        client.connection.close()

    def _close(self) -> None:
        for client in list(self._clients.values()):
            self._drop(client)
        for path in self._files:
            # Another trainer may have put its own there already.
            if _identity(path) == self._own[path]:
                with contextlib.suppress(OSError):
                    path.unlink()
        self._listener.close()
        self._selector.close()

    def watch_for(self, client: Client, events: int) -> None:
        """Chooses what the thread waits for at a client."""
        self._selector.modify(client.connection, events, client)

    def answer(self, line: bytes) -> dict[str, Any]:
        """Does what a line asks for; the reply."""
        request: dict[str, Any] = {}
        try:
            request = decode(line)
            reply = {"ok": True} | self._do(request)
        except PuffError as error:
            reply = {"ok": False, "error": error.message, "hint": error.hint}
        number = request.get("id")
        return ({"id": number} if isinstance(number, (int, str)) else {}) | reply

    def _do(self, request: dict[str, Any]) -> dict[str, Any]:
        runner = self._runner
        if request.get("do") == STATE:
            return {"state": self._state()}
        if request.get("do") == NOTE:
            add_note(runner.folder.database, runner.latest.step, to_note(request))
            return {}
        command = to_command(request)
        if isinstance(command, SetField):
            check_live(command.path, command.value)
        changes = isinstance(command, (SetField, UndoChange, Pause, RollBack))
        if changes and job_from_environment().size > 1:
            raise PuffError(
                "A run of several processes cannot be paused or changed while it trains.",
                "Stop it and resume it.",
            )
        runner.send(command)
        return {}

    def _state(self) -> dict[str, Any]:
        snapshot = self._runner.latest
        figures: dict[str, Any] = finite(report(snapshot, self._runner.findings))
        return figures | {
            "phase": snapshot.phase.value,
            "total_steps": snapshot.total_steps,
            "settings": dict(snapshot.settings),
        }


class Client:
    """One connection; what cannot be sent at once waits."""

    def __init__(self, connection: socket.socket, server: ControlServer) -> None:
        self.connection = connection
        self._server = server
        self._lines = Lines()
        self._unsent = b""

    def serve(self, ready: int) -> bool:
        """Reads and writes what is possible now; False if the connection is to be ended."""
        try:
            if ready & selectors.EVENT_WRITE and not self._flush():
                return False
            if ready & selectors.EVENT_READ:
                return self._read()
        except OSError:
            return False
        return True

    def say(self, message: dict[str, Any]) -> bool:
        """Sends a message; False if the client is gone or reads nothing."""
        self._unsent += encode(message)
        try:
            return self._flush()
        except OSError:
            return False

    def _read(self) -> bool:
        try:
            data = self.connection.recv(MOST_LINE)
        except BlockingIOError:
            return True
        try:
            lines = self._lines.feed(data)
        except PuffError as error:
            self.say({"ok": False, "error": error.message, "hint": error.hint})
            return False
        return all(self.say(self._server.answer(line)) for line in lines) and bool(data)

    def _flush(self) -> bool:
        with contextlib.suppress(BlockingIOError):
            while self._unsent:
                sent = self.connection.send(self._unsent)
                self._unsent = self._unsent[sent:]
        write = selectors.EVENT_WRITE if self._unsent else 0
        self._server.watch_for(self, selectors.EVENT_READ | write)
        return len(self._unsent) <= MOST_UNREAD


def _identity(path: Path) -> tuple[int, int] | None:
    with contextlib.suppress(OSError):
        found = path.lstat()
        return found.st_dev, found.st_ino
    return None
