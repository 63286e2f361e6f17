"""The home screen: what is listed, what plays, what each key leaves for; and the real program."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from pathlib import Path

import pytest
from fakes import screen_text
from runs_on_disk import make_run
from terminals import Terminal

from pufftui.__main__ import main
from pufftui.apps.home import HomeApp, known_envs
from pufftui.apps.options import Wishes
from pufftui.layout.cockpit import LEAST_HEIGHT, LEAST_WIDTH
from pufftui.layout.home import arrange_home
from pufftui.screens.dialogs.help import HelpScreen
from pufftui.screens.home import Choice

ENVS = ["breakout", "pong", "squared"]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs of squared, the older one unfinished, one of another program, and one that is broken."""
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path))
    make_run("squared-old", scores=[0.1, 0.2], events=("start", "stop stopped"), note="a first try")
    make_run("squared-new", scores=[0.1, 0.5, 0.9])
    broken = make_run("squared-broken")
    broken.database.write_bytes(b"no database")
    return tmp_path


def app_of(choice: Choice | None = None, **wishes: bool) -> HomeApp:
    return HomeApp(choice or Choice(list(ENVS)), Wishes(**wishes))


async def until(app: HomeApp, words: str) -> str:
    """What is on the screen as soon as some words are."""
    for _ in range(400):
        text = screen_text(app)
        if words in text:
            return text
        await asyncio.sleep(0.05)
    raise AssertionError(f"{words!r} is not in\n{screen_text(app)}")


async def told(app: HomeApp, words: str) -> None:
    """Waits for a message."""
    for _ in range(100):
        if any(words in message.message for message in app._notifications):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"nothing says {words!r}")


async def pressed(*keys: str, choice: Choice | None = None) -> tuple[str, ...] | None:
    """The command that the person leaves for after some keys, with the runs read."""
    app = app_of(choice)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(app, "squared-new")
        await pilot.press(*keys)
        await pilot.pause()
    return app.return_value


@pytest.mark.parametrize(
    ("keys", "command"),
    [
        (["enter"], ("train", "breakout")),
        (["down", "enter"], ("train", "pong")),
        (["down", "down", "down", "up", "enter"], ("train", "pong")),
        (["j", "j", "k", "p"], ("play", "pong")),
        (["down", "down", "r"], ("resume", "squared-new")),
        (["tab", "down", "enter"], ("watch", "squared-new")),
        (["tab", "down", "down", "r"], ("resume", "squared-old")),
        (["tab", "down", "p"], ("play", "squared", "--from", "squared-new")),
        (["tab", "tab", "down", "down", "enter"], ("train", "squared")),
        (["q"], None),
        (["escape"], None),
    ],
)
async def test_keys_lead_to_commands(
    runs: Path, keys: list[str], command: tuple[str, ...] | None
) -> None:
    assert await pressed(*keys) == command


async def test_one_comes_back_to_what_was_chosen(runs: Path) -> None:
    choice = Choice(list(ENVS))
    assert await pressed("tab", "down", "down", "enter", choice=choice) == ("watch", "squared-old")
    app = app_of(choice)
    async with app.run_test(size=(120, 40)):
        run = app.main.run_chosen
        assert run is not None
        assert run.name == "squared-old"


async def test_what_cannot_be_done_is_said(runs: Path) -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(app, "squared-new")
        await pilot.press("r")
        await told(app, "There is no run of breakout yet")
        await pilot.press("tab")
        for key in ("enter", "p", "r"):
            app.clear_notifications()
            await pilot.press(key)
            await told(app, "squared-broken is broken")
        assert app.is_running


async def test_without_runs_a_newcomer_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path / "none"))
    app = app_of()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(app, "None yet. enter trains the first one.")
        await pilot.press("tab")
        await told(app, "There is no run yet")


async def test_the_game_moves_and_says_who_plays(runs: Path) -> None:
    app = app_of(Choice(list(ENVS), env=2))
    async with app.run_test(size=(120, 40)) as pilot:
        text = await until(app, "the baseline after 30.1M steps")
        assert "squared" in text
        before = await _frame(app)
        await _frame(app, other_than=before)
        await pilot.press("up")
        await until(app, "two paddles" if "two paddles" in text else "pong")
        await asyncio.sleep(0.5)
        assert app.preview.showing.env == "pong"
    assert app.preview.showing.arena is None


async def _frame(app: HomeApp, other_than: object = None) -> object:
    for _ in range(200):
        frame = app.main.game.frame
        if frame is not None and frame is not other_than:
            return frame
        await asyncio.sleep(0.05)
    raise AssertionError("the game stands still")


async def test_a_game_of_a_folder_that_was_never_built_is_listed_and_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path / "none"))
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd/odd.c").write_text("this is not C")
    monkeypatch.chdir(tmp_path)
    assert known_envs()[-1] == "./odd"
    app = app_of(Choice(["./odd"]))
    async with app.run_test(size=(160, 45)):
        await until(app, "You have never built")


async def test_clicks_choose_and_choose_again_to_go(runs: Path) -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        text = await until(app, "squared-old")
        row = next(y for y, line in enumerate(text.splitlines()) if "squared-old" in line)
        await pilot.click(offset=(10, row))
        await pilot.pause()
        assert app.main.run_chosen is not None
        assert app.main.run_chosen.name == "squared-old"
        assert app.is_running
        await pilot.click(offset=(10, row))
        await pilot.pause()
    assert app.return_value == ("watch", "squared-old")


async def test_the_choice_follows_a_run_that_moves_down(runs: Path) -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(app, "squared-old")
        await pilot.press("tab", "down", "down")
        assert app.main.run_chosen is not None
        make_run("squared-newest")
        app.main._due = 0
        await until(app, "squared-newest")
        assert app.main.run_chosen.name == "squared-old"


async def test_privacy_hides_and_goes_on_to_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path))
    monkeypatch.setenv("USER", "adalovelace")
    make_run("squared-adalovelace")
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(app, "squared-adalovelace")
        await pilot.press("v")
        await pilot.pause()
        text = screen_text(app)
        assert "adalovelace" not in text
        assert "PRIVATE" in text
        await pilot.press("v", "escape", "enter")
    assert app.private


async def test_help_and_small_terminals(runs: Path) -> None:
    app = app_of()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("escape")
        await pilot.resize_terminal(LEAST_WIDTH - 1, LEAST_HEIGHT)
        await until(app, "Please make it")


@pytest.mark.parametrize("width", [LEAST_WIDTH, 96, 160, 240])
@pytest.mark.parametrize("height", [LEAST_HEIGHT, 24, 45, 80])
def test_panels_fill_the_terminal_and_do_not_overlap(width: int, height: int) -> None:
    regions = list(arrange_home(width, height).regions.values())
    for one in regions:
        assert min(one.x, one.y) >= 0
        assert one.right <= width
        assert one.bottom <= height
        assert one.area
        assert not any(one.overlaps(other) for other in regions if other is not one)


def test_without_a_terminal_the_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "pufftui train breakout" in capsys.readouterr().out
    assert main(["home"]) == 2
    assert "needs a terminal" in capsys.readouterr().err


def _type(terminal: Terminal, keys: bytes) -> None:
    os.write(terminal.screen, keys)


PROGRAM = "import sys; from pufftui.__main__ import main; sys.exit(main([]))"


def test_the_real_program_goes_there_and_back(runs: Path, tmp_path: Path) -> None:
    terminal = Terminal(PROGRAM, tmp_path / "log", PUFFTUI_RUNS=str(runs))
    try:
        terminal.read(until=b"squared-new")
        _type(terminal, b"\t\x1b[B\r")  # the second run
        terminal.read(until=b"watching", seconds=40)
        _type(terminal, b"q")
        terminal.said = b""
        terminal.read(until=b"environments", seconds=40)
        _type(terminal, b"q")
        terminal.read()
        assert terminal.process.wait(20) == 0
    finally:
        terminal.close()


def test_sigterm_ends_the_command_and_home(runs: Path, tmp_path: Path) -> None:
    terminal = Terminal(PROGRAM, tmp_path / "log", PUFFTUI_RUNS=str(runs))
    try:
        terminal.read(until=b"squared-new")
        _type(terminal, b"\t\x1b[B\r")
        terminal.read(until=b"watching", seconds=40)
        time.sleep(0.5)
        os.kill(terminal.process.pid, signal.SIGTERM)
        terminal.read()
        assert terminal.process.wait(20) == 130
        assert re.search(rb"\x1b\[\?1049l", terminal.said)
    finally:
        terminal.close()


def test_a_command_that_fails_is_read_before_home_comes_back(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd/odd.c").write_text("this is not C")
    monkeypatch.chdir(tmp_path)
    terminal = Terminal(PROGRAM, tmp_path / "log", PUFFTUI_RUNS=str(runs))
    try:
        terminal.read(until=b"./odd")
        _type(terminal, b"\x1b[B" * len(known_envs()) + b"\r")
        terminal.read(until=b"does not compile", seconds=40)
        terminal.read(until=b"Press enter to continue.", seconds=40)
        terminal.said = b""
        _type(terminal, b"\n")
        terminal.read(until=b"environments", seconds=40)
        _type(terminal, b"q")
        terminal.read()
        assert terminal.process.wait(20) == 0
    finally:
        terminal.close()


@pytest.mark.parametrize("keys", [b"", b"\t\x1b[B\r"], ids=["home", "watch"])
def test_a_terminal_that_goes_without_a_signal_ends_it(
    runs: Path, tmp_path: Path, keys: bytes
) -> None:
    # The terminal is not the one that controls the process, so the kernel sends no SIGHUP.
    terminal = Terminal(PROGRAM, tmp_path / "log", PUFFTUI_RUNS=str(runs))
    terminal.read(until=b"squared-new")
    _type(terminal, keys)
    if keys:
        terminal.read(until=b"watching", seconds=40)
    terminal.read(seconds=1)
    terminal.close_window()
    assert terminal.process.wait(20) == 130
