"""The home screen, and the commands that it sends the person to, one after the other."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

from pufftui.appearance.privacy import own_secrets
from pufftui.apps.base import SIGNALS
from pufftui.apps.browsing import BrowsingApp, browse
from pufftui.apps.ending import INTERRUPTED
from pufftui.apps.options import Wishes
from pufftui.envs.catalogue import env_names, installed_names, is_env
from pufftui.screens.home import Choice, HomeScreen
from pufftui.state.preview import Preview
from pufftui.terminal.private import hung_up
from pufftui.terminal.signals import handling
from pufftui.trainer.run.folder import run_names, runs_root


class HomeApp(BrowsingApp[tuple[str, ...]]):
    """Ends with the command that the person has chosen, or with None."""

    LOOKS_PER_SECOND = 30
    main: HomeScreen

    def __init__(self, choice: Choice, wishes: Wishes | None = None) -> None:
        """Raises `PuffError` for an unknown theme."""
        super().__init__(wishes, own_secrets(run_names(), [runs_root()]))
        self.preview = Preview()
        self.main = HomeScreen(self.look, choice, self.preview)

    def on_mount(self) -> None:
        self.preview.start()  # Textual calls the handlers of the classes above as well

    def on_unmount(self) -> None:
        self.preview.stop()


def run_home(wishes: Wishes) -> int:
    """Home, then what was chosen there, then home again, until the person leaves; the exit status."""
    choice = Choice(known_envs())
    while True:
        app = HomeApp(choice, wishes)
        status = browse(app, "home", "choosing")
        command = app.return_value
        if status or command is None:
            return status
        wishes = replace(wishes, theme=None, privacy=app.private)
        if not _run_command([*command, *_flags(wishes)]):
            return INTERRUPTED


def known_envs() -> list[str]:
    """The bundled environments, those of other packages, and those in the current folder."""
    here = sorted(path for path in Path().iterdir() if path.is_dir() and not path.is_symlink())
    own = [f"./{path.name}" for path in here if is_env(f"./{path.name}")]
    return [*env_names(), *installed_names(), *own]


def _flags(wishes: Wishes) -> list[str]:
    flags = ["--privacy"] if wishes.privacy else []
    if wishes.ascii_only is not None:
        flags.append("--ascii" if wishes.ascii_only else "--no-ascii")
    return flags


def _run_command(arguments: Sequence[str]) -> bool:
    """Runs a command in a process of its own; whether to go on after it.

    What goes wrong there is read before the screen covers it again.
    """
    child = subprocess.Popen([sys.executable, "-P", "-m", "pufftui", *arguments])
    with _passing_on(child) as ended:
        status = child.wait()
    if ended or hung_up():
        return False
    if status not in (0, INTERRUPTED):
        try:
            input("Press enter to continue. ")
        except EOFError:
            return False
    return True


@contextmanager
def _passing_on(child: subprocess.Popen[bytes]) -> Iterator[list[int]]:
    """Leaves ctrl+c and the end of the terminal, which reach both of us, to the child, and passes SIGTERM on.

    Gives the signals after which we end as well.
    """
    ended: list[int] = []

    def hear(number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGINT:
            ended.append(number)
        if number == signal.SIGTERM:
            child.terminate()

    with handling(dict.fromkeys(SIGNALS, hear)):
        yield ended
