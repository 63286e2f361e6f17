"""A stranger's run whose texts try to steer the terminal: every command and screen that shows it."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from terminals import Terminal

from pufftui import cli, log
from pufftui.cli import runs as cli_runs
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.store import add_note, tag

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202eevil\nsecond line"
BAD = re.compile(rb"\x1b\]0;owned|\x1b\[2J|\xc2\x9b|\xe2\x80\xae|\x07")
LONG = "long" * 75

COMMANDS = [
    ["runs"],
    ["runs", "--json"],
    ["runs", f"tag:{EVIL}"],
    ["runs", "note", "stranger"],
    ["runs", "tag", "stranger"],
    ["runs", "compare", "stranger", "other"],
    ["runs", "compare", "stranger", "other", "--json"],
    ["runs", "check", "stranger"],
    ["runs", "export", "csv", "stranger"],
    ["runs", "note", EVIL],
    ["resume", "stranger"],
    ["attach", "stranger"],
    ["train", EVIL],
    ["train", "squared", "--run-name", EVIL, "--headless"],
    ["play", EVIL],
    ["watch", "stranger"],
    ["watch", EVIL],
    ["home", EVIL],
    ["envs", EVIL],
    ["env", "check", EVIL],
    ["env", "new", EVIL],
    ["bench", EVIL],
    ["doctor", EVIL],
    ["eval", "stranger"],
    ["eval", EVIL],
    ["runs", "list", EVIL],
    ["runs", "--sort", EVIL],
    ["runs", "rename", "stranger", EVIL],
    ["runs", "pin", "stranger", EVIL],
    ["runs", "unpin", "stranger"],
    ["runs", "export", "stranger", "tensorboard"],
    ["runs", "export", "stranger", "csv"],
    ["runs", "export", "stranger", "c"],
    ["runs", "rm", "stranger"],
    ["runs", "rm", EVIL, "--yes"],
]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "runs"
    monkeypatch.setenv("PUFFTUI_RUNS", str(root))
    for name in ("stranger", "other"):
        run = log.start(name, {"words": EVIL, EVIL: name, LONG: LONG})
        for step in range(3):
            run.log(step, {"loss": 1.0, "score": step, f"a{EVIL}": 2.0, LONG: 3.0})
        run.finish()
    folder = RunFolder.open("stranger")
    add_note(folder.database, 1, EVIL)
    tag(folder.database, EVIL)
    with sqlite3.connect(folder.database) as store:
        for name in ("device", "environment", "action_names"):
            store.execute("insert or replace into fact values (?, ?)", (name, json.dumps(EVIL)))
        store.execute("update event set text = text || ?", (EVIL,))
    return root


def test_no_command_is_left_out() -> None:
    assert {command[0] for command in COMMANDS} == set(cli.COMMANDS)
    tried = {command[1] for command in COMMANDS if command[0] == "runs" and len(command) > 1}
    assert set(cli_runs.SUBCOMMANDS) <= tried
    assert {command[1] for command in COMMANDS if command[0] == "env"} == {"check", "new"}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_lets_them_through(runs: Path, command: list[str]) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "pufftui", *command],
        capture_output=True,
        env=os.environ | {"TERM": "xterm-256color"},
        stdin=subprocess.DEVNULL,
        cwd=runs.parent,
        timeout=120,
        check=False,
    )
    printed = told.stdout + told.stderr
    assert printed
    assert not BAD.search(printed), printed
    assert b"\x1b" not in printed
    assert b"Something broke inside" not in printed


@pytest.mark.parametrize(
    "command", [["watch", "stranger"], [], ["runs", "compare", "stranger", "other"], ["runs"]]
)
def test_no_screen_lets_them_through(runs: Path, tmp_path: Path, command: list[str]) -> None:
    script = f"import sys; from pufftui.__main__ import main; sys.exit(main({command!r}))"
    terminal = Terminal(script, tmp_path / "log.txt", PUFFTUI_RUNS=str(runs))
    try:
        terminal.read(b"stranger", 60)
        for key in (b"6", b"a", b"\x1b[27u", b"5", b"/", b"\x1b[27u"):
            if terminal.process.poll() is None:
                os.write(terminal.screen, key)
                time.sleep(0.3)
                terminal.read(seconds=0.3)
        assert not BAD.search(terminal.said), BAD.search(terminal.said)
    finally:
        terminal.close()
