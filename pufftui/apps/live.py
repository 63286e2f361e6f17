"""Shows a session until the person leaves, and leaves everything tidy."""

from __future__ import annotations

import math
import signal
import sys
import threading
import time
from collections.abc import Callable

from pufftui.appearance.format import duration, figure, steps
from pufftui.apps.ending import INTERRUPTED, last_words
from pufftui.apps.headless import ROWS_LOST, run_headless
from pufftui.apps.options import Wishes
from pufftui.apps.recorded import farewell
from pufftui.apps.training import PuffApp
from pufftui.control.handover import HandOver
from pufftui.envs.library import EnvLibrary
from pufftui.runs.evaluated import last_episodes
from pufftui.state.session import Session
from pufftui.terminal.streams import Output, masked
from pufftui.trainer.messages.command import Stop
from pufftui.trainer.messages.snapshot import Phase

GRACE = 20.0
"""Seconds that a slow checkpoint may take after the screen has gone."""

ARENA_SECONDS = 5.0
"""Time in which a recording of a game has to be written after a crash, when training has ended."""


def run_live(
    session: Session,
    wishes: Wishes | None = None,
    note: str = "",
    library: EnvLibrary | None = None,
) -> int:
    """Trains with the dashboard, and without it if the screen crashes; the exit status.

    0 if training finished or the person stopped it, 1 if it failed, 130 after a signal, else 3 if
    rows of the store were lost. If the environment's `library` ends the process, it is named. `note` is why nobody can attach to the run, if so. Raises `PuffError` without a terminal or for an unknown
    theme, or if training fails after the screen has crashed.
    """
    app = PuffApp(session, wishes)
    folder, output = session.folder, Output(sys.stderr)

    def say(text: str) -> None:
        output.write(app.masked(text))

    try:
        suspect = None if library is None else (library.path, session.config.env)
        app.run_alone(folder.log, last_words(folder), suspect)
    except BaseException:  # no terminal, or an interrupt while there was no screen yet
        _leave(app, session, say)
        raise
    if app.crashed and not (app.left or app.gone or session.runner.latest.phase.ended):
        return _go_on(app, session, note, library)
    hand_over = _leave(app, session, say)
    say(farewell(session.arena))
    crashed = app.crashed and not app.gone
    if crashed:
        say(f"The screen crashed. What happened is in {folder.log}\n")
    if hand_over is not None and session.runner.latest.phase is Phase.INTERRUPTED:
        say(_left_running(session, hand_over.complete()))
        return 0
    say(_report(session))
    if session.runner.latest.phase is Phase.FAILED or crashed:
        return 1
    if app.signalled or app.gone:
        return INTERRUPTED
    return ROWS_LOST if session.runner.latest.lost_rows else 0


def _go_on(app: PuffApp, session: Session, note: str, library: EnvLibrary | None) -> int:
    """Training goes on without its screen, as if it had never had one; the exit status."""
    if app.secrets is not None:
        # For good: what is told last of a run that fails is told elsewhere.
        sys.stdout, sys.stderr = masked(sys.stdout, app.masked), masked(sys.stderr, app.masked)
    # The game may be what crashed, or may never come to an end.
    ending = threading.Thread(target=session.arena.stop, name="end of the arena", daemon=True)
    ending.start()
    words, started = _crash_words(session, note), session.runner.started
    status = run_headless(session.runner, json=False, note=words, started=started, library=library)
    ending.join(ARENA_SECONDS)
    Output(sys.stderr).write(farewell(session.arena))
    return status


def _crash_words(session: Session, note: str) -> str:
    """That the screen has crashed, why, and how to come by another one."""
    run, folder = session.folder.id, session.folder
    goes = "goes on" if session.runner.started else "begins"
    words = f"The screen crashed. Training {goes} without it. What happened is in {folder.log}\n"
    if note:
        return f"{words}{note}\nWatch it from another terminal: pufftui watch {run}"
    return (
        f"{words}Open it again from another terminal: pufftui attach {run}\n"
        "Or from this one: ctrl+z, then bg, then the same command. Ctrl+c stops training with a checkpoint."
    )


def _leave(app: PuffApp, session: Session, say: Callable[[str], None]) -> HandOver | None:
    """Ends what runs beside the screen; what another process needs to go on with the run, if one is to."""
    gone = app.gone
    _ignore_signals()
    hand_over = app.hand_over or (_hand_over(session) if gone else None)
    if session.runner.started:
        session.arena.stop()
        _finish(session, say, patient=hand_over is not None)
    return hand_over


def _ignore_signals() -> None:
    """A window that closes now must not cost the last checkpoint; what follows is bounded."""
    for number in (signal.SIGHUP, signal.SIGTERM):
        # A function, since what is ignored stays ignored in the process that goes on.
        signal.signal(number, lambda *_: None)


def _hand_over(session: Session) -> HandOver | None:
    """If a run is to go on without its terminal, what it needs for that."""
    wanted = session.config.run.on_hangup == "detach"
    going = wanted and not session.runner.latest.phase.ended
    return HandOver(session.folder, session.config.env) if going else None


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
        f"Watch it:    pufftui watch {run}\n"
        f"Control it:  pufftui attach {run}\n"
        f"Stop it:     kill {process}\n"
    )


def _report(session: Session) -> str:
    """A few lines that stay on the terminal."""
    snapshot, run = session.runner.latest, session.folder.id
    word = snapshot.phase.value if snapshot.phase.ended else "left"
    done = f"{steps(snapshot.step)} of {steps(snapshot.total_steps)}"
    result = f"after {duration(snapshot.seconds)}, score {figure(snapshot.score)}"
    if snapshot.score is not None:
        result += f" over {last_episodes(snapshot.episodes)}"
    lines = [f"{run} {word} at step {done} {result}"]
    if snapshot.phase is Phase.FAILED:
        lines += [snapshot.failure.strip(), snapshot.failure_hint, f"The log: {session.folder.log}"]
    if snapshot.lost_rows:
        lines.append(snapshot.warning)
    if snapshot.checkpoint_step is not None:
        lines.append(f"Go on: pufftui resume {run}")
        lines.append(f"How well it plays: pufftui eval {run}")
    return "".join(f"{line}\n" for line in lines if line)
