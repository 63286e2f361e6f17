"""The dashboard with real training on a terminal that goes away, and other ways to be stopped."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pufftui.trainer.run.checkpoint import newest_checkpoint
from pufftui.trainer.store import StoreReader

TRAIN = "train squared --run-name it --policy.memory none --vec.agents 256 --train.total-steps 1e12"


class Dashboard:
    """A dashboard on a terminal that controls it, as in a window."""

    def __init__(self, runs: Path) -> None:
        self.folder = runs / "it"
        self.process, self.screen = pty.fork()
        if self.process == 0:
            os.environ.update(TERM="xterm-256color", PUFFTUI_RUNS=str(runs))
            os.execv(sys.executable, [sys.executable, "-m", "pufftui", *TRAIN.split()])
        termios.tcsetwinsize(self.screen, (40, 120))

    def drain(self, seconds: float) -> None:
        """Reads what is drawn for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.screen], [], [], 0.05)[0]:
                try:
                    os.read(self.screen, 65536)
                except OSError:  # so a terminal says that the program has ended
                    return

    def rows(self) -> int:
        """Rows of metrics in the store so far."""
        reader = StoreReader(self.folder / "run.db")
        count = len(reader.metrics_after(0).steps)
        reader.close()
        return count

    def wait(self, *, screen: bool) -> int:
        """The exit status; reads on as long as there is a `screen`."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            process, status = os.waitpid(self.process, os.WNOHANG)
            if process:
                self.process = 0
                return os.waitstatus_to_exitcode(status)
            if screen:
                self.drain(0.1)
            else:
                time.sleep(0.1)
        raise AssertionError("it did not end")


@pytest.fixture
def dashboard(tmp_path: Path):
    dashboard = Dashboard(tmp_path / "runs")
    end = time.monotonic() + 60
    while dashboard.rows() < 2:
        assert time.monotonic() < end
        dashboard.drain(0.2)
    yield dashboard
    if dashboard.process:
        os.kill(dashboard.process, signal.SIGKILL)
        os.waitpid(dashboard.process, 0)


def close_window(dashboard: Dashboard) -> None:
    os.close(dashboard.screen)


def send(number: signal.Signals) -> Callable[[Dashboard], None]:
    return lambda dashboard: os.kill(dashboard.process, number)


@pytest.mark.parametrize(
    ("stop", "screen"),
    [
        pytest.param(close_window, False, id="closed"),
        pytest.param(send(signal.SIGHUP), True, id="SIGHUP"),
        pytest.param(send(signal.SIGTERM), True, id="SIGTERM"),
        pytest.param(send(signal.SIGINT), True, id="SIGINT"),
    ],
)
def test_the_dashboard_leaves_with_a_checkpoint(
    dashboard: Dashboard, stop: Callable[[Dashboard], None], *, screen: bool
) -> None:
    stop(dashboard)
    assert dashboard.wait(screen=screen) == 130
    reader = StoreReader(dashboard.folder / "run.db")
    checkpoints, events = reader.checkpoints(), reader.events_after(0)
    reader.close()
    assert (checkpoints[-1].reason, events[-1].kind) == ("the end", "stop")
    saved, torn = newest_checkpoint(dashboard.folder / "checkpoints")
    assert torn == []
    assert saved is not None
    assert saved.description["step"] == checkpoints[-1].step > 0
    assert "Traceback" not in (dashboard.folder / "log.txt").read_text()
    if screen:
        os.close(dashboard.screen)
