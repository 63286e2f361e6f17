"""A stranger's run through every command: none of its code runs, nothing outside it changes, nothing breaks."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from processes import PUFFTUI, Terminal
from strangers import BROKEN, EVIL, Place, make_place, make_run

from pufftui.cli import COMMANDS
from pufftui.cli.runs import SUBCOMMANDS

RUN = "r"
QUICK: dict[str, list[list[str]]] = {
    "train": [["squared", "--headless", "--run-name", RUN], [RUN, "--headless"]],
    "runs": [[]],
    "eval": [[RUN, "--episodes", "5", "--cap", "64"], [f"{RUN}@2000", "--against", RUN, "--json"]],
    "envs": [[]],
    "env": [["check", RUN], ["new", RUN, "--in", RUN]],
    "bench": [[RUN, "--env-only"]],
    "doctor": [[]],
    "resume": [],
    "home": [],
    "watch": [],
    "attach": [],
    "play": [],
}
"""Commands that need no screen, and what they are given; the others follow."""

TRAINING = [["resume", RUN, "--headless", "--train.total-steps", "3000"]]
SCREENS = [
    ["watch", RUN],
    ["attach", RUN],
    ["play", "squared", "--from", RUN],
    ["play", "squared"],
    ["home"],
]

SUB: dict[str, list[list[str]]] = {
    "list": [[], ["--json"], ["note:red", "score>0"]],
    "compare": [[RUN, RUN]],
    "check": [[RUN], [RUN, "--json"]],
    "tag": [[RUN, "+good"]],
    "note": [[RUN, "a word"]],
    "pin": [[RUN], [RUN, "2000"]],
    "unpin": [[RUN]],
    "export": [
        [RUN, "csv", "--output", "-", "--episodes", "-"],
        [RUN, "tensorboard", "--output", "out"],
        [RUN, "c", "--output", "-"],
        [f"{RUN}@2000", "c", "--output", "-"],
    ],
    "rename": [[RUN, "other"], ["other", RUN]],
    "rm": [[RUN, "--yes"]],
}
"""Subcommands of `runs`; the last one removes it."""

DRIVER = """
import contextlib, io, json, signal, sys
from pufftui.__main__ import main

for line in sys.stdin:
    said = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    signal.alarm(60)
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            status = main(json.loads(line))
        except SystemExit as error:
            status = error.code
        said.flush()
    signal.alarm(0)
    text = said.buffer.getvalue().decode(errors="replace")
    print(json.dumps([json.loads(line), status, text]), flush=True)
"""


def test_every_command_is_tried():
    tried = {words[0] for words in (*TRAINING, *SCREENS)} | {name for name in QUICK if QUICK[name]}
    assert set(QUICK) == set(COMMANDS)
    assert tried == set(COMMANDS)
    assert set(SUB) == set(SUBCOMMANDS)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return make_place(tmp_path)


def is_well(words: list[str], status: object, said: str) -> bool:
    """Whether a command has ended as commands do: well, or with a sentence."""
    for wrong in ("Traceback", "Something broke", "The screen failed"):
        assert wrong not in said, (words, said)
    assert status in {0, 1, 2, 130}, (words, status, said)
    assert status == 0 or said.strip() or status == 130, (words, "not a word")
    return True


def run_all(commands: list[list[str]]) -> None:
    """Runs commands one after the other in one process."""
    told = "".join(json.dumps(words) + "\n" for words in commands)
    command = [sys.executable, "-P", "-c", DRIVER]
    ended = subprocess.run(command, input=told, capture_output=True, text=True, check=False)
    lines = ended.stdout.splitlines()
    for line in lines:
        assert is_well(*json.loads(line))
    assert len(lines) == len(commands), (commands[len(lines)], ended.returncode, ended.stderr)


QUICK_COMMANDS = [
    *([name, *words] for name, many in QUICK.items() for words in many),
    *(["runs", name, *words] for name, many in SUB.items() for words in many),
]


@pytest.mark.parametrize("what", [*EVIL, *BROKEN])
def test_commands_without_a_screen(place: Place, what: str):
    make_run(place, what)
    run_all(QUICK_COMMANDS)
    assert place.untouched()


@pytest.mark.parametrize("what", [name for name in EVIL if name != "escapes"])
def test_resume_refuses_and_leaves_the_run_as_it_is(place: Place, what: str):
    run = make_run(place, what)
    before = contents(run)
    ended = subprocess.run(
        [*PUFFTUI, *TRAINING[0]], capture_output=True, text=True, check=False, timeout=100
    )
    assert is_well(TRAINING[0], ended.returncode, ended.stderr)
    assert place.untouched()
    if "code" in what:
        assert "pufftui env check" in ended.stderr or "no environment" in ended.stderr
        assert contents(run) == before


def contents(run: Path) -> dict[str, object]:
    files = [file for file in run.rglob("*") if not file.is_symlink() and file.is_file()]
    return {str(file): file.read_bytes() for file in files}


def show(*words: str) -> None:
    """A command on a screen of its own, until it is drawn; home is led to the hostile folder."""
    terminal = Terminal(*words)
    try:
        end = time.monotonic() + 60
        drawn: float | None = None
        while time.monotonic() < min(end, (drawn or end) + 1.5):
            if select.select([terminal.screen], [], [], 0.05)[0]:
                try:
                    terminal.said += os.read(terminal.screen, 65536)
                except OSError:
                    break
                if drawn is None and "\x1b[?1049h" in terminal.said.decode(errors="replace"):
                    drawn = time.monotonic()
                    if words == ("home",):
                        time.sleep(1)
                        os.write(terminal.screen, b"\x1b[B" * 12)
        if terminal.process.poll() is None:
            os.write(terminal.screen, b"\x03")
        status = terminal.wait()
        assert is_well(list(words), status, terminal.text)
    finally:
        terminal.close()


@pytest.mark.parametrize("words", SCREENS, ids=" ".join)
@pytest.mark.parametrize("what", ["code", "code in the checkpoint"])
def test_screens_show_it_and_run_nothing(place: Place, what: str, words: list[str]):
    make_run(place, what)
    show(*words)
    assert place.untouched()


@pytest.mark.slow
@pytest.mark.parametrize("words", [*SCREENS, *TRAINING], ids=" ".join)
@pytest.mark.parametrize("what", [*EVIL, *BROKEN])
def test_everything_on_every_screen(place: Place, what: str, words: list[str]):
    make_run(place, what)
    if words in SCREENS:
        show(*words)
    else:
        ended = subprocess.run([*PUFFTUI, *words], capture_output=True, text=True, check=False)
        assert is_well(words, ended.returncode, ended.stderr)
    assert place.untouched()
