"""A clock that is set while runs are trained: what counts is where a run was last."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from processes import ENDLESS, PUFFTUI, train, wait_for

from pufftui.control.client import Connection
from pufftui.trainer.run.folder import RunFolder, run_names
from pufftui.trainer.store import StoreReader

if TYPE_CHECKING:
    from conftest import Compiler

HOURS = 3600
QUICK = (*ENDLESS, "--train.horizon", "16")


@pytest.fixture
def set_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiler: Compiler
) -> Callable[[int], None]:
    """Turns the clock of the programs that are started from here by so many seconds."""
    if sys.platform != "linux":
        pytest.skip("a library is preloaded as on Linux")
    file = tmp_path / "clock"
    file.write_text("0")
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("PUFF_CLOCK", str(file))
    monkeypatch.setenv("LD_PRELOAD", str(compiler.library("tests/c/clock.c", "-ldl")))

    def turn(seconds: int) -> None:
        file.write_text(str(seconds))

    return turn


def checkpoints(folder: RunFolder) -> list[int]:
    return sorted(int(file.stem[5:]) for file in folder.checkpoints.glob("step-*.npz"))


def ask_for_checkpoint(folder: RunFolder) -> None:
    """Returns when there is one more, or another in the place of the oldest."""
    before = checkpoints(folder)
    connection = Connection(folder.path)
    connection.ask({"do": "checkpoint"})
    wait_for(lambda: checkpoints(folder)[-1] > before[-1])
    connection.close()


def test_a_killed_run_goes_on_from_its_last_step(set_clock: Callable[[int], None]) -> None:
    process = train("it", *QUICK)
    try:
        wait_for(lambda: "it" in run_names() and checkpoints(RunFolder.open("it")))
        folder = RunFolder.open("it")
        wait_for((folder.path / "control.sock").exists)
        ask_for_checkpoint(folder)
        set_clock(-2 * HOURS)
        ask_for_checkpoint(folder)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    left = checkpoints(folder)
    set_clock(0)
    resumed = subprocess.run(
        [*PUFFTUI, "resume", "it", "--headless", "--train.total-steps", str(left[-1] + 20_000)],
        capture_output=True,
        text=True,
        check=True,
    )
    began = re.search(r"resumed from step ([0-9,]+)", events(folder))
    assert began, resumed.stderr
    assert int(began[1].replace(",", "")) == left[-1]


def events(folder: RunFolder) -> str:
    reader = StoreReader(folder.database)
    text = "\n".join(event.text for event in reader.events_after(0))
    reader.close()
    return text


def test_the_latest_run_is_the_one_started_last(set_clock: Callable[[int], None]) -> None:
    for name, seconds in [("first", 9 * 365 * 24 * HOURS), ("second", 0), ("third", -2 * HOURS)]:
        set_clock(seconds)
        begin = f"from pufftui.log import start; start({name!r}).finish()"
        subprocess.run([sys.executable, "-P", "-c", begin], check=True)
    assert run_names() == ["third", "second", "first"]
