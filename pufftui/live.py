"""Shows a session until the person leaves, and leaves everything tidy."""

from __future__ import annotations

import sys
import time

from pufftui.app import PuffApp
from pufftui.format import duration, figure, steps
from pufftui.session import Session
from pufftui.streams import Output
from pufftui.terminal import private_terminal
from pufftui.trainer.command import Stop
from pufftui.trainer.snapshot import Phase

GRACE = 20.0
"""Seconds that a slow checkpoint may take after the screen has gone."""


def run_live(session: Session, theme: str | None) -> int:
    """Trains with the dashboard; the exit status.

    0 if training finished or the person stopped it, 1 if it failed, 130 after a signal.
    Raises `PuffError` without a terminal or for an unknown theme.
    """
    app = PuffApp(session, theme)
    folder = session.folder
    message = (
        f" in run {folder.id}\nWhat happened is in {folder.log}\n"
        f"To go on from its last checkpoint: pufftui resume {folder.id}\n"
    )
    try:
        with private_terminal(folder.log, message):
            app.run()
    finally:
        if app.begun:
            session.arena.stop()
            _finish(session)
    _report(session)
    if app.return_code or session.runner.latest.phase is Phase.FAILED:
        return 1
    return 130 if app.signalled else 0


def _finish(session: Session) -> None:
    """Waits for the trainer on the plain terminal; ctrl+c gives up."""
    runner = session.runner
    if runner.latest.phase.ended:
        return
    runner.send(Stop())
    end = time.monotonic() + GRACE
    terminal = Output(sys.stderr)  # it may have been closed
    terminal.write("Writing a checkpoint; ctrl+c gives up.\n")
    try:
        while not runner.join(0.1) and time.monotonic() < end:
            pass
    except KeyboardInterrupt:
        terminal.write("Given up.\n")


def _report(session: Session) -> None:
    """A few lines that stay on the terminal."""
    snapshot, run = session.runner.latest, session.folder.id
    word = snapshot.phase.value if snapshot.phase.ended else "left"
    done = f"{steps(snapshot.step)} of {steps(snapshot.total_steps)}"
    result = f"after {duration(snapshot.seconds)}, score {figure(snapshot.score)}"
    lines = [f"{run} {word} at step {done} {result}"]
    if snapshot.phase is Phase.FAILED:
        lines += [snapshot.failure.strip(), snapshot.failure_hint, f"The log: {session.folder.log}"]
    if snapshot.checkpoint_step is not None:
        lines.append(f"Go on: pufftui resume {run}")
    Output(sys.stderr).write("".join(f"{line}\n" for line in lines if line))
