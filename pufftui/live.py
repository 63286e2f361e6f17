"""Shows a session until the person leaves, and leaves everything tidy."""

from __future__ import annotations

import math
import signal
import sys
import termios
import time
from collections.abc import Callable

from pufftui.app import PuffApp
from pufftui.detach import HandOver
from pufftui.format import duration, figure, steps
from pufftui.recorded import farewell
from pufftui.session import Session
from pufftui.streams import Output
from pufftui.terminal import hung_up
from pufftui.trainer.command import Stop
from pufftui.trainer.snapshot import Phase
from pufftui.wishes import Wishes

GRACE = 20.0
"""Seconds that a slow checkpoint may take after the screen has gone."""


def run_live(session: Session, wishes: Wishes | None = None) -> int:
    """Trains with the dashboard; the exit status.

    0 if training finished or the person stopped it, 1 if it failed, 130 after a signal.
    Raises `PuffError` without a terminal or for an unknown theme.
    """
    app = PuffApp(session, wishes)
    folder, output = session.folder, Output(sys.stderr)

    def say(text: str) -> None:
        output.write(app.masked(text))

    message = (
        f" in run {folder.id}\nWhat happened is in {folder.log}\n"
        f"To go on from its last checkpoint: pufftui resume {folder.id}\n"
    )
    try:
        app.run_alone(folder.log, message)
    except (OSError, termios.error):
        # A terminal that has gone away can be given back to nobody.
        if not (app.hung_up or hung_up()):
            raise
    finally:
        gone = app.hung_up or hung_up()
        _ignore_signals()
        hand_over = app.return_value or (_hand_over(session) if gone else None)
        if app.begun:
            session.arena.stop()
            _finish(session, say, patient=hand_over is not None)
    say(farewell(session.arena))
    if hand_over is not None and session.runner.latest.phase is Phase.INTERRUPTED:
        say(_left_running(session, hand_over.complete()))
        return 0
    say(_report(session))
    if session.runner.latest.phase is Phase.FAILED or (app.return_code and not gone):
        return 1
    return 130 if app.signalled or gone else 0


def _ignore_signals() -> None:
    """A window that closes now must not cost the last checkpoint; what follows is bounded."""
    for number in (signal.SIGHUP, signal.SIGTERM):
        # A function, since what is ignored stays ignored in the process that goes on.
        signal.signal(number, lambda *_: None)


def _hand_over(session: Session) -> HandOver | None:
    """If a run is to go on without its terminal, what it needs for that."""
    wanted = session.config.run.on_hangup == "detach"
    return HandOver(session.folder) if wanted and not session.runner.latest.phase.ended else None


def _finish(session: Session, say: Callable[[str], None], *, patient: bool) -> None:
    """Waits for the trainer on the plain terminal, if `patient` without end; ctrl+c gives up."""
    runner = session.runner
    if runner.latest.phase.ended:
        return
    runner.send(Stop())
    end = math.inf if patient else time.monotonic() + GRACE
    say("Writing a checkpoint; ctrl+c gives up.\n")
    try:
        while not runner.join(0.1) and time.monotonic() < end:
            pass
    except KeyboardInterrupt:
        say("Given up.\n")


def _left_running(session: Session, process: int) -> str:
    """How to find again a run that goes on without this terminal."""
    run, step = session.folder.id, steps(session.runner.latest.checkpoint_step or 0)
    return (
        f"{run} goes on without this terminal, from step {step}, as process {process}.\n"
        f"Look on:     pufftui watch {run}\n"
        f"Control it:  pufftui attach {run}\n"
        f"Stop it:     kill {process}\n"
    )


def _report(session: Session) -> str:
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
    return "".join(f"{line}\n" for line in lines if line)
