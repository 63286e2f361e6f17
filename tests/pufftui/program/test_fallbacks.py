"""Real terminals with less than all: few colours, no colours, plain letters, no cursor."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from fakes import fake_app, screen_text, settle
from terminals import Terminal, live_script

from pufftui.state.session import Session
from pufftui.terminal.private import places_cursor
from pufftui.trainer.messages.command import SetRival

TRUE_COLOUR = re.compile(rb"[34]8;2;")
OF_256 = re.compile(rb"[34]8;5;(\d+)")


def shown(tmp_path: Path, until: bytes, **environment: str) -> bytes:
    """What the dashboard writes under this environment, up to and with these bytes."""
    terminal = Terminal(live_script(), tmp_path / "log.txt", **environment)
    try:
        terminal.read(b"squared")
        terminal.read(until)
        # The game takes the short way; a few frames of it.
        seen = len(terminal.said)
        terminal.read(seconds=1.5)
        assert len(terminal.said) > seen
        return terminal.said
    finally:
        terminal.close()


def test_with_256_colours_nothing_asks_for_more(tmp_path: Path) -> None:
    said = shown(tmp_path, "▀".encode(), COLORTERM="")
    assert not TRUE_COLOUR.search(said)
    assert len(set(OF_256.findall(said))) > 10


def test_with_all_colours_they_are_used(tmp_path: Path) -> None:
    said = shown(tmp_path, "▀".encode())
    assert TRUE_COLOUR.search(said)
    assert not OF_256.search(said)


def test_without_colours_there_are_only_greys(tmp_path: Path) -> None:
    said = shown(tmp_path, "▀".encode(), NO_COLOR="1")
    used = set(re.findall(rb"[34]8;2;(\d+);(\d+);(\d+)(?=[;m])", said))
    assert used
    assert all(red == green == blue for red, green, blue in used)


@pytest.mark.parametrize(
    "environment",
    [
        {"TERM": "linux", "COLORTERM": ""},
        {"TERM": "vt100", "COLORTERM": ""},
        {"LC_ALL": "C"},
        {"LC_ALL": "", "LC_CTYPE": "", "LANG": "en_US.ISO-8859-1"},
    ],
)
def test_plain_terminals_get_plain_letters(tmp_path: Path, environment: dict[str, str]) -> None:
    said = shown(tmp_path, b"arena", **environment)
    assert said.isascii()
    assert b"o healthy" in said


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_every_panel_has_plain_letters(session: Session, size: tuple[int, int]) -> None:
    app = fake_app(session, ascii_only=True)
    async with app.run_test(size=size) as pilot:
        for key in ["0", "6", "right", "x", "y", "i", "0", "down", "w", "R", "s", "s", "m"]:
            await pilot.press(key)
            await settle(app, pilot)
            assert screen_text(app).isascii(), key
        session.arena.send(SetRival(SimpleNamespace(step=2_000_000)))
        await settle(app, pilot)
        await settle(app, pilot)
        text = screen_text(app)
        assert "best, 2M" in text or "best, 2.00M" in text
        assert text.isascii()


@pytest.mark.parametrize("name", ["dumb", "", "unknown"])
def test_a_terminal_that_cannot_place_its_cursor_is_told_what_to_do(
    tmp_path: Path, name: str
) -> None:
    script = (
        "import sys; from pufftui.__main__ import main\nprint('STATUS', main(['train', 'squared']))"
    )
    terminal = Terminal(
        script, tmp_path / "log.txt", TERM=name, PUFFTUI_RUNS=str(tmp_path / "runs")
    )
    try:
        assert terminal.wait() == 0
    finally:
        terminal.close()
    said = terminal.said.decode()
    assert "STATUS 2" in said
    assert "add --headless" in said
    assert "\x1b[?1049h" not in said
    assert not (tmp_path / "runs").exists()


def test_what_is_known_of_terminals() -> None:
    assert places_cursor("xterm-256color")
    assert places_cursor("a-terminal-of-the-future")
    assert not places_cursor("dumb")


def test_errors_are_plain_where_colours_are_not_wanted(tmp_path: Path) -> None:
    for environment, coloured in (
        ({}, True),
        ({"NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
    ):
        script = "from pufftui.__main__ import main\nmain(['tarin'])"
        terminal = Terminal(script, tmp_path / "log.txt", **environment)
        try:
            terminal.wait()
        finally:
            terminal.close()
        assert (b"\x1b[31m" in terminal.said) is coloured
        assert b"Did you mean train?" in terminal.said


def test_flags_are_in_the_help_of_every_screen() -> None:
    for command in ("train", "resume", "watch", "attach", "play"):
        result = subprocess.run(
            [sys.executable, "-m", "pufftui", command, "--help"],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"COLUMNS": "100"},
        )
        for flag in ("--theme", "--ascii", "--no-ascii", "--privacy"):
            assert flag in result.stdout, (command, flag)
