"""Every byte that reaches a real terminal while names are hidden, from the start to after the end."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest
from terminals import Terminal, live_script

FORBIDDEN = re.compile(rb"quentin|gpu-tower|private project|/home/|pytest-of", re.IGNORECASE)
HOST = "import socket\nsocket.gethostname = lambda: 'gpu-tower.lab'\n"
CRASH = "import ctypes, threading\nthreading.Timer({after}, lambda: ctypes.string_at(0)).start()\n"
RUN = "squared-quentins-best"


@pytest.fixture
def start(tmp_path: Path):
    """Starts a script as quentin, whose home is a folder of the test."""
    home = tmp_path / "home" / "quentin" / "private project"
    (home / RUN).mkdir(parents=True)
    terminals: list[Terminal] = []

    def starting(script: str) -> Terminal:
        environment = {"USER": "quentin", "LOGNAME": "quentin", "HOME": str(home.parent)}
        terminals.append(Terminal(HOST + script, home / "log.txt", **environment))
        return terminals[-1]

    yield starting
    for terminal in terminals:
        terminal.close()


def press(terminal: Terminal, key: bytes, then: bytes) -> None:
    os.write(terminal.screen, key)
    terminal.read(then)


def test_from_the_first_byte_to_the_last(start) -> None:
    terminal = start(live_script("privacy=True", RUN))
    terminal.read(b"PRIVATE")
    terminal.read("▀".encode())
    time.sleep(1)
    press(terminal, b"q", b"Stop training and leave?")
    os.write(terminal.screen, b"\r")
    assert terminal.wait() == 0
    tail = terminal.said[terminal.said.rindex(b"\x1b[?1049l") :]
    assert b"interrupted at step" in tail
    assert not FORBIDDEN.search(terminal.said), FORBIDDEN.search(terminal.said)


def test_from_the_key_on(start) -> None:
    terminal = start(live_script("", RUN))
    terminal.read(b"quentin")
    terminal.read("▀".encode())
    time.sleep(1)
    press(terminal, b"v", b"PRIVATE")
    seen = len(terminal.said)
    press(terminal, b"?", b"Keys")
    os.write(terminal.screen, b"\x1b[27u")  # Escape, as a terminal sends it that tells it from Alt.
    press(terminal, b"q", b"Stop training and leave?")
    os.write(terminal.screen, b"\r")
    assert terminal.wait() == 0
    after = terminal.said[seen:]
    assert b"interrupted at step" in after
    assert not FORBIDDEN.search(after), FORBIDDEN.search(after)


@pytest.mark.parametrize("wishes", ["privacy=True", ""])
def test_the_last_words_of_a_crash(start, wishes: str) -> None:
    terminal = start(CRASH.format(after=4) + live_script(wishes, RUN))
    terminal.read("▀".encode())
    seen = 0
    if not wishes:
        time.sleep(0.5)
        press(terminal, b"v", b"PRIVATE")
        seen = len(terminal.said)
    assert terminal.wait() == -signal.SIGSEGV
    last = terminal.said[seen:]
    assert b"segmentation fault in run" in last
    assert b"What happened is in" in last
    assert not FORBIDDEN.search(last), FORBIDDEN.search(last)


def test_errors_before_there_is_a_screen(start, monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        "import os, sys\nfrom pathlib import Path\n"
        "os.environ['PUFFTUI_RUNS'] = str(Path(sys.argv[1]).parent)\n"
        "from pufftui.__main__ import main\n"
        "main(['watch', 'squared-quentins-worst'{flag}])"
    )
    open_to_all = start(script.format(flag=""))
    open_to_all.wait()
    assert FORBIDDEN.search(open_to_all.said)
    hidden = start(script.format(flag=", '--privacy'"))
    hidden.wait()
    assert b"There is no run" in hidden.said
    assert not FORBIDDEN.search(hidden.said), hidden.said


COMMAND = """
import os, sys
from pathlib import Path
os.environ["PUFFTUI_RUNS"] = str(Path(sys.argv[1]).parent / "runs")
from pufftui.__main__ import main
sys.exit(main({arguments}))
"""


@pytest.mark.parametrize("flag", ["--privacy", "--stream"])
def test_the_real_program_from_training_to_looking_on(start, flag: str) -> None:
    train = ["train", "squared", "--run-name", RUN, flag]
    terminal = start(COMMAND.format(arguments=train))
    terminal.read(b"PRIVATE")
    terminal.read(b"healthy", 60)
    for key in (b"?", b"?", b"a", b"a", b"t", b"c"):
        os.write(terminal.screen, key)
        time.sleep(0.5)
    press(terminal, b"q", b"Stop training and leave?")
    os.write(terminal.screen, b"\r")
    assert terminal.wait() == 0
    after = terminal.said[terminal.said.rindex(b"\x1b[?1049l") :]
    assert b"interrupted at step" in after
    assert b"pufftui resume" in after
    assert not FORBIDDEN.search(terminal.said), FORBIDDEN.search(terminal.said)

    again = start(COMMAND.format(arguments=train))
    again.wait()
    assert b"pufftui resume" in again.said, "the name is taken, which says where"
    assert not FORBIDDEN.search(again.said), again.said

    watch = start(COMMAND.format(arguments=["watch", "latest", flag]))
    watch.read(b"PRIVATE")
    watch.read("▀".encode(), 60)
    time.sleep(1)  # the list of what happened comes after the game
    os.write(watch.screen, b"q")
    watch.wait()
    assert not FORBIDDEN.search(watch.said), FORBIDDEN.search(watch.said)
