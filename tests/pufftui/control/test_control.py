"""The control socket against well-behaved clients, careless ones and hostile ones."""

from __future__ import annotations

import json
import os
import random
import socket
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import Clock, FakeFolder, FakeRunner

from pufftui.control import place
from pufftui.control.client import Connection, Control
from pufftui.control.protocol import MOST_LINE, to_command, to_message
from pufftui.control.server import MOST_CLIENTS, ControlServer
from pufftui.envs.errors import PuffError
from pufftui.trainer.messages.command import (
    Checkpoint,
    Pause,
    Resume,
    RollBack,
    SetField,
    Stop,
    UndoChange,
)
from pufftui.trainer.messages.snapshot import Phase
from pufftui.trainer.store import StoreReader, StoreWriter

COMMANDS = [
    Pause(),
    Resume(),
    Checkpoint(),
    UndoChange(),
    Stop(),
    SetField("train.gamma", 0.9),
    RollBack(1_000_000, 0.25),
]


class Run(FakeRunner):
    """A pretender that lies in a folder."""

    folder: FakeFolder


def running(folder: Path) -> Run:
    folder.mkdir(exist_ok=True)
    runner = Run(Clock(), head_start=50.0)
    runner.folder = FakeFolder(folder)
    return runner


@pytest.fixture
def runner(tmp_path: Path) -> Run:
    return running(tmp_path / "run")


@pytest.fixture
def folder(runner: Run) -> Iterator[Path]:
    server = ControlServer(runner)
    server.start()
    yield runner.folder.path
    server.stop()


def raw(folder: Path) -> socket.socket:
    connection = place.connect(folder, 5.0)
    assert json.loads(connection.makefile().readline())["pufftui"] == 1
    return connection


def wait_for(condition, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def still_serves(folder: Path) -> bool:
    connection = Connection(folder)
    try:
        return connection.ask({"do": "state"})["ok"]
    finally:
        connection.close()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_arrives(runner: Run, folder: Path, command) -> None:
    assert to_command(to_message(command)) == command
    runner.stubborn = True
    connection = Connection(folder)
    assert connection.greeting == {"pufftui": 1, "run": "run", "process": os.getpid()}
    assert connection.ask(to_message(command) | {"id": 7}) == {"ok": True, "id": 7}
    assert runner.sent == [command]
    connection.close()


def test_the_state_is_told(runner: Run, folder: Path) -> None:
    runner.changes = {"settings": {"train.gamma": 0.9}, "score": float("nan")}
    connection = Connection(folder)
    state = connection.ask({"do": "state"})["state"]
    assert state["phase"] == "running"
    assert state["step"] == runner.latest.step
    assert state["score"] is None
    assert state["settings"] == {"train.gamma": 0.9}
    connection.close()


def test_a_note_is_kept_with_the_run(runner: Run, folder: Path) -> None:
    runner.folder.database = folder / "run.db"
    connection = Connection(folder)
    refused = connection.ask({"do": "note", "text": "too early"})
    assert "has not begun" in refused["hint"]
    StoreWriter(runner.folder.database).close()
    assert connection.ask({"do": "note", "text": " the plateau \ud800 "})["ok"]
    (note,) = StoreReader(runner.folder.database).notes_after(0)
    assert (note.text, note.step) == ("the plateau ?", runner.latest.step)
    connection.close()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"pause", "one JSON object"),
        (b"[]", "one JSON object"),
        (b"\xff\xfe", "one JSON object"),
        (b"[" * 50_000, "one JSON object"),
        (b'{"do": 1}', "what to do"),
        (b'{"do": "puase"}', "Did you mean pause?"),
        (b'{"do": "set"}', "a setting and a number"),
        (b'{"do": "set", "setting": "train.gamma", "value": true}', "a setting and a number"),
        (b'{"do": "set", "setting": "train.gamma", "value": NaN}', "cannot be nan"),
        (b'{"do": "set", "setting": "train.gamma", "value": 1' + b"0" * 400 + b"}", "too large"),
        (b'{"do": "set", "setting": "train.gamma", "value": 2}', "from 0 to 1"),
        (b'{"do": "set", "setting": "train.horizon", "value": 2}', "cannot change"),
        (b'{"do": "note", "text": "  "}', "needs a text"),
    ],
)
def test_wrong_lines_are_explained_and_change_nothing(runner: Run, folder, line, says) -> None:
    connection = raw(folder)
    connection.sendall(line + b"\n" + b'{"do": "state", "id": "after"}\n')
    reader = connection.makefile()
    refused, after = json.loads(reader.readline()), json.loads(reader.readline())
    assert refused["ok"] is False
    assert says in f"{refused['error']} {refused['hint']}"
    assert after["ok"]
    assert after["id"] == "after"
    assert runner.sent == []
    connection.close()


@pytest.mark.parametrize("command", COMMANDS)
def test_what_would_reach_one_of_several_processes_is_refused(
    runner: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, command
) -> None:
    job = {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "2"}
    for name, value in (job | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"}).items():
        monkeypatch.setenv(name, value)
    connection = Connection(folder)
    answer = connection.ask(to_message(command))
    connection.close()
    alone = isinstance(command, (Pause, SetField, UndoChange, RollBack))
    assert answer["ok"] is not alone
    assert runner.sent == ([] if alone else [command])


def test_lines_may_come_in_pieces_and_many_at_once(runner: Run, folder: Path) -> None:
    connection = raw(folder)
    for byte in b'{"do": "checkpoint"}\n':
        connection.sendall(bytes([byte]))
    connection.sendall(b'\n\n{"do": "checkpoint"}\n' * 50)
    reader = connection.makefile()
    assert all(json.loads(reader.readline())["ok"] for _ in range(51))
    assert runner.sent == [Checkpoint()] * 51
    connection.sendall(b'{"do": "stop"}')  # half a line is none
    connection.close()
    assert still_serves(folder)
    assert Stop() not in runner.sent


def test_a_line_without_end_is_cut_off(runner: Run, folder: Path) -> None:
    connection = raw(folder)
    assert _is_cut_off(connection, b"x" * MOST_LINE)
    assert still_serves(folder)


def test_a_client_that_never_reads_is_dropped(folder: Path) -> None:
    connection = raw(folder)
    assert _is_cut_off(connection, b'{"do": "state"}\n' * 100)
    assert still_serves(folder)


def _is_cut_off(connection: socket.socket, data: bytes) -> bool:
    try:
        for _ in range(10_000):
            connection.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        return True
    return False


def test_only_so_many_clients(folder: Path) -> None:
    connections = [raw(folder) for _ in range(MOST_CLIENTS)]
    one_more = place.connect(folder, 5.0)
    assert one_more.recv(100) == b""
    for connection in connections:
        connection.close()
    wait_for(lambda: _accepted(folder))


def _accepted(folder: Path) -> bool:
    try:
        return still_serves(folder)
    except OSError:
        return False


def test_noise_from_many_sides(runner: Run, folder: Path) -> None:
    pieces = [b'{"do": "state"}\n', b"\n", b"{", b'"', b"\0", b'{"do":', b"\xff" * 100, b"9" * 5000]

    def shout(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(8):
            connection = place.connect(folder, 5.0)
            try:
                for _ in range(chance.randrange(20)):
                    noise = chance.randbytes(chance.randrange(50))
                    connection.sendall(chance.choice([*pieces, noise]))
                    if chance.random() < 0.3:
                        connection.settimeout(0.1)  # There is no answer to half a line.
                        connection.recv(chance.randrange(1, 4000))
                        connection.settimeout(5.0)
            except OSError:
                pass
            if chance.random() < 0.8:
                connection.close()

    shouters = [threading.Thread(target=shout, args=(seed,)) for seed in range(8)]
    for shouter in shouters:
        shouter.start()
    for shouter in shouters:
        shouter.join()
    wait_for(lambda: _accepted(folder))
    assert runner.sent == []


def test_the_socket_is_private_and_goes_with_the_run(runner: Run) -> None:
    server = ControlServer(runner)
    server.start()
    file = runner.folder.path / place.SOCKET
    assert stat.S_ISSOCK(file.stat().st_mode)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    connection = raw(runner.folder.path)
    runner.phase = Phase.FINISHED
    assert connection.recv(100) == b""
    wait_for(lambda: not file.exists())
    server.stop()


def test_strangers_are_turned_away(folder: Path, monkeypatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(OSError, match="somebody else"):
        place.connect(folder, 5.0)
    stranger = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    stranger.connect(str(folder / place.SOCKET))
    assert stranger.recv(100) == b""
    stranger.close()


def test_what_a_dead_trainer_left_is_replaced_and_what_a_new_one_made_is_kept(runner: Run) -> None:
    folder = runner.folder.path
    left, _ = place.listen(folder)
    left.close()
    with pytest.raises(ConnectionRefusedError):
        place.connect(folder, 1.0)
    first = ControlServer(runner)
    first.start()
    assert still_serves(folder)
    second = ControlServer(running(folder))
    second.start()
    first.stop()
    assert still_serves(folder)
    second.stop()
    assert not any(folder.iterdir())


def test_a_long_path_leads_to_a_private_folder(tmp_path: Path, monkeypatch) -> None:
    deep = tmp_path / ("deep" * 30)
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        monkeypatch.setattr(tempfile, "tempdir", short)
        private = Path(short) / f"pufftui-{os.getuid()}"
        server = ControlServer(running(deep))
        server.start()
        assert still_serves(deep)
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
        server.stop()
        assert list(private.iterdir()) == list(deep.iterdir()) == []
        private.chmod(0o755)
        with pytest.raises(PermissionError):
            ControlServer(running(deep))


def test_somebody_attached_is_told_what_goes_wrong_and_comes_back(runner: Run) -> None:
    control = Control(runner.folder.path)
    control.start()
    control.send(Pause())
    wait_for(lambda: control.complaints() == ["Nobody trains this run right now."])
    server = ControlServer(runner)
    server.start()
    wait_for(lambda: control.connected)
    assert control.state["phase"] == "running"
    control.send(SetField("train.gamma", 3.0))
    told: list[str] = []
    wait_for(lambda: told.extend(control.complaints()) or told)
    assert "from 0 to 1" in told[0]
    control.send(Pause())
    wait_for(lambda: runner.sent == [Pause()])
    control.send(Checkpoint())
    control.stop()
    wait_for(lambda: Checkpoint() in runner.sent)
    server.stop()


def test_another_version_is_named(runner: Run, folder: Path, monkeypatch) -> None:
    monkeypatch.setattr("pufftui.control.client.VERSION", 2)
    with pytest.raises(PuffError, match="version 1"):
        Connection(folder)
