"""A screen that crashes: training goes on, the terminal is given back, and what happened is told."""

from __future__ import annotations

import os
import re
import shutil
import signal
import termios
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from processes import ENDLESS, PUFFTUI, SMALL, Terminal, end, wait_for
from runs_on_disk import make_run

from pufftui.trainer.run.checkpoint import newest_checkpoint
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.store import StoreReader

HOOK = """
import importlib, os

def crash(spot, once):
    module, _, name = spot.partition(":")
    owner = importlib.import_module(module)
    *path, name = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    whole = getattr(owner, name)

    def broken(*arguments, **named):
        if os.path.exists({trigger!r}):
            if once:
                os.unlink({trigger!r})
            raise RuntimeError("made to crash")
        return whole(*arguments, **named)

    setattr(owner, name, broken)

if not os.environ.get("PUFF_TEST_WHOLE"):
    crash({spot!r}, {once!r})
"""

TRAIN = ("train", "squared", "--run-name", "it", *SMALL, *ENDLESS)

TIMER = "pufftui.apps.training:PuffApp.tick"
KEY = "pufftui.screens.panels:PanelScreen.action_theme"
COMPOSITOR = "pufftui.widgets.painted:Painted.render_lines"
DRIVER = "textual.drivers.linux_driver:LinuxDriver.write"
KEYBOARD = "pufftui.keys.kitty:KeyDriver.process_message"
BROWSING = "pufftui.widgets.painted:Painted.strip"
ARENA = "pufftui.trainer.arena.arena:Arena._advance"


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def crash_at(root: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Programs that start from now on crash at a place, once or always, as soon as a file is there."""

    def prepare(spot: str, *, once: bool = True) -> Path:
        place, trigger = root / "hook", root / "crash-now"
        place.mkdir()
        hook = HOOK.format(spot=spot, once=once, trigger=str(trigger))
        (place / "sitecustomize.py").write_text(hook)
        monkeypatch.setenv("PYTHONPATH", str(place))
        return trigger

    return prepare


@pytest.fixture
def terminal(root: Path) -> Iterator[Callable[..., Terminal]]:
    terminals: list[Terminal] = []

    def start(*arguments: str, program: tuple[str, ...] = PUFFTUI) -> Terminal:
        terminals.append(Terminal(*arguments, program=program))
        return terminals[-1]

    yield start
    for one in terminals:
        one.close()
    for path in (root / "runs").glob("*"):
        end(RunFolder(path))


def rows(folder: RunFolder) -> int:
    reader = StoreReader(folder.database)
    last = reader.last_row()
    reader.close()
    return last


def goes_on(folder: RunFolder, dashboard: Terminal) -> None:
    """Waits for more rows of metrics, and reads what the program says meanwhile."""
    before, enough = rows(folder), threading.Event()

    def read() -> None:
        while not enough.is_set():
            dashboard.drain()

    reading = threading.Thread(target=read)
    reading.start()
    try:
        wait_for(lambda: rows(folder) > before + 3 or dashboard.process.poll() is not None, 30)
    finally:
        enough.set()
        reading.join()
    assert dashboard.process.poll() is None, dashboard.text[-2000:]
    assert rows(folder) > before + 3


def test_training_goes_on_and_can_be_attached_to(
    root: Path, crash_at: Callable[..., Path], terminal: Callable[..., Terminal]
) -> None:
    trigger = crash_at(TIMER)
    dashboard, folder = terminal(*TRAIN), RunFolder(root / "runs" / "it")
    before = termios.tcgetattr(dashboard.screen)
    dashboard.read("policy of step")
    assert termios.tcgetattr(dashboard.screen) != before
    trigger.touch()
    wait_for(lambda: not trigger.exists())
    goes_on(folder, dashboard)

    dashboard.read("Ctrl+c stops")
    said = dashboard.text
    assert "The screen crashed. Training goes on without it." in said
    assert str(folder.log) in said
    assert "pufftui attach it" in said
    assert "Traceback" not in said
    assert b"\x1b[?1049l" in dashboard.said
    assert termios.tcgetattr(dashboard.screen) == before
    log = folder.log.read_text()
    assert log.count("Traceback (most recent call last)") == 1
    assert "in broken" in log
    assert "RuntimeError: made to crash" in log

    os.environ["PUFF_TEST_WHOLE"] = "1"
    try:
        attached = terminal("attach", "it")
    finally:
        del os.environ["PUFF_TEST_WHOLE"]
    attached.read("attached")
    attached.read("policy of step")
    attached.press("p")
    wait_for(lambda: dashboard.drain() or "paused" in dashboard.text.rpartition("\r")[2])
    attached.press("p")
    attached.press("q")
    attached.read("goes on without you")
    attached.press("\r")
    assert attached.wait() == 0

    goes_on(folder, dashboard)
    dashboard.press("\x03")
    assert dashboard.wait() == 130
    assert "it interrupted: " in dashboard.text
    saved, torn = newest_checkpoint(folder.checkpoints)
    reader = StoreReader(folder.database)
    kept = reader.checkpoints()[-1]
    reader.close()
    assert torn == []
    assert saved is not None
    assert (kept.reason, kept.step) == ("the end", saved.description["step"])


@pytest.mark.parametrize(
    ("spot", "key", "once"),
    [
        pytest.param(KEY, "t", True, id="key"),
        pytest.param(COMPOSITOR, "t", True, id="compositor"),
        pytest.param(DRIVER, "", False, id="driver"),
        pytest.param(KEYBOARD, "x", True, id="keyboard"),
    ],
)
@pytest.mark.slow
def test_wherever_the_screen_crashes(
    root: Path,
    crash_at: Callable[..., Path],
    terminal: Callable[..., Terminal],
    spot: str,
    key: str,
    *,
    once: bool,
) -> None:
    trigger = crash_at(spot, once=once)
    dashboard, folder = terminal(*TRAIN), RunFolder(root / "runs" / "it")
    before = termios.tcgetattr(dashboard.screen)
    dashboard.read("policy of step")
    trigger.touch()
    if key:
        dashboard.press(key)
    dashboard.read("Ctrl+c stops")
    assert "The screen crashed. Training goes on without it." in dashboard.text
    trigger.unlink(missing_ok=True)
    goes_on(folder, dashboard)
    assert termios.tcgetattr(dashboard.screen) == before
    assert "RuntimeError: made to crash" in folder.log.read_text()
    dashboard.process.send_signal(signal.SIGTERM)
    assert dashboard.wait() == 130
    assert newest_checkpoint(folder.checkpoints)[0] is not None


@pytest.mark.slow
def test_who_was_leaving_when_it_crashed_leaves(
    root: Path, crash_at: Callable[..., Path], terminal: Callable[..., Terminal]
) -> None:
    trigger = crash_at("pufftui.screens.run:RunScreen.end")
    dashboard, folder = terminal(*TRAIN), RunFolder(root / "runs" / "it")
    dashboard.read("policy of step")
    trigger.touch()
    dashboard.press("q")
    dashboard.read("Stop training and leave?")
    dashboard.press("\r")
    assert dashboard.wait() == 1
    assert f"The screen crashed. What happened is in {folder.log}" in dashboard.text
    assert "it interrupted at step" in dashboard.text
    assert "RuntimeError: made to crash" in folder.log.read_text()
    assert newest_checkpoint(folder.checkpoints)[0] is not None


@pytest.mark.slow
def test_a_window_that_closes_after_the_crash_ends_training_with_a_checkpoint(
    root: Path, crash_at: Callable[..., Path], terminal: Callable[..., Terminal]
) -> None:
    trigger = crash_at(TIMER)
    dashboard, folder = terminal(*TRAIN), RunFolder(root / "runs" / "it")
    dashboard.read("policy of step")
    trigger.touch()
    dashboard.read("Ctrl+c stops")
    goes_on(folder, dashboard)
    dashboard.hang_up()
    assert dashboard.process.wait(30) == 130
    reader = StoreReader(folder.database)
    reason = reader.checkpoints()[-1].reason
    reader.close()
    assert reason == "the end"


@pytest.mark.slow
def test_a_run_that_was_over_when_the_screen_crashed_is_told_so(
    root: Path, crash_at: Callable[..., Path], terminal: Callable[..., Terminal]
) -> None:
    trigger = crash_at(KEY)
    folder = RunFolder(root / "runs" / "it")
    dashboard = terminal(*TRAIN[:-1], "20k")
    dashboard.read("finished")
    trigger.touch()
    dashboard.press("\x1b[27u")
    wait_for(lambda: dashboard.press("t") or dashboard.drain(0.3) or not trigger.exists())
    assert dashboard.wait() == 1
    assert f"The screen crashed. What happened is in {folder.log}" in dashboard.text
    assert "it finished at step" in dashboard.text


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_the_run_is_opened_again_on_the_same_terminal(
    root: Path, crash_at: Callable[..., Path], terminal: Callable[..., Terminal]
) -> None:
    trigger = crash_at(TIMER)
    shell = terminal(program=("bash", "--norc", "-i"))
    shell.press("PS1='ready: '\n")
    shell.press(f"{' '.join([*PUFFTUI, *TRAIN])}\n")
    shell.read("policy of step")
    trigger.touch()
    shell.read("Ctrl+c stops")
    shell.press("\x1a")
    shell.read("Stopped")
    shell.press("bg\n")
    folder = RunFolder(root / "runs" / "it")
    before = rows(folder)
    wait_for(lambda: shell.drain() or rows(folder) > before + 3)
    assert "steps/s" not in shell.text
    shell.press(f"{' '.join(PUFFTUI)} attach it\n")
    shell.read("policy of step")
    shell.press("q")
    shell.read("goes on without you")
    shell.press("\r")
    shell.read("ready: ")
    shell.press("fg\n")
    shell.read("steps/s")
    shell.press("\x03")
    shell.read("it interrupted: ")
    shell.read("ready: ")
    shell.press("exit $?\n")
    assert shell.wait() == 130


def test_a_screen_that_crashes_at_once_costs_no_training(
    root: Path, crash_at: Callable[..., Path], terminal: Callable[..., Terminal]
) -> None:
    crash_at("pufftui.apps.training:PuffApp.on_mount").touch()
    dashboard, folder = terminal(*TRAIN), RunFolder(root / "runs" / "it")
    dashboard.read("The screen crashed. Training begins without it.")
    wait_for(folder.database.exists)
    goes_on(folder, dashboard)
    dashboard.press("\x03")
    assert dashboard.wait() == 130


def test_a_thread_of_the_arena_that_dies_ends_nothing(
    root: Path, crash_at: Callable[..., Path], terminal: Callable[..., Terminal]
) -> None:
    trigger = crash_at(ARENA)
    dashboard, folder = terminal(*TRAIN), RunFolder(root / "runs" / "it")
    dashboard.read("policy of step")
    trigger.touch()
    wait_for(lambda: "made to crash" in folder.log.read_text())
    goes_on(folder, dashboard)
    assert "Traceback (most recent call last)" in folder.log.read_text()
    dashboard.press("q")
    dashboard.read("Stop training and leave?")
    dashboard.press("\r")
    assert dashboard.wait() == 0
    assert newest_checkpoint(folder.checkpoints)[0] is not None


@pytest.mark.parametrize("command", ["watch it", "play squared", "home", "runs compare it"])
def test_screens_that_only_look_on_say_where_the_log_is(
    root: Path, crash_at: Callable[..., Path], terminal: Callable[..., Terminal], command: str
) -> None:
    make_run("it", scores=[0.1, 0.2])
    crash_at(BROWSING).touch()
    screen = terminal(*command.split())
    assert screen.wait() == 1
    text = screen.text
    assert "Traceback" not in text
    assert "The screen crashed." in text
    log = re.search(r"What happened is in (\S+\.txt)", text)
    assert log
    assert "RuntimeError: made to crash" in Path(log[1]).read_text()


@pytest.mark.parametrize(
    ("command", "shown", "help_keys"),
    [("play squared", "YOU are playing", "\x1b[27u?"), ("home", "squared", "?")],
)
def test_no_bytes_from_the_terminal_end_a_screen(
    terminal: Callable[..., Terminal], command: str, shown: str, help_keys: str
) -> None:
    screen = terminal(*command.split())
    screen.read(shown)
    for odd in (
        b"\xff\xfe\x80",
        b"\x1b[M\xf0\x90\x90",
        b"\x1b[1114112u",
        b"\x1b[:~",
        b"\x1b[6;99999999999u",
    ):
        os.write(screen.screen, odd)
    screen.press(help_keys)
    screen.read("Keys")
    assert screen.process.poll() is None
    screen.process.send_signal(signal.SIGTERM)
    assert screen.wait() == 130
