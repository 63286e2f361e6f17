"""Shows a game to play until the person leaves; no run is touched."""

from __future__ import annotations

from pufftui.appearance.format import figure
from pufftui.apps.ending import ending
from pufftui.apps.options import Wishes
from pufftui.apps.recorded import farewell
from pufftui.apps.training import PuffApp
from pufftui.state.session import PlaySession
from pufftui.terminal.private import passing_log


def run_play(session: PlaySession, wishes: Wishes | None = None) -> int:
    """Plays on the terminal; the exit status: 0, 1 if the screen failed, 130 after a signal."""
    app = PuffApp(session, wishes)
    name = session.descriptor.name
    with passing_log("pufftui-play-") as log:
        try:
            app.run_alone(log, f" in {name}\nWhat happened is in {log}\n")
        finally:
            session.arena.stop()
    return ending(app, log, _report(session))


def _report(session: PlaySession) -> str:
    """What stays on the terminal if a game was finished or recorded."""
    best, mean = session.tally.best, session.opponent.training_score
    if best is None:
        return farewell(session.arena)
    text = f"{session.descriptor.name}: your best {figure(best)}"
    if mean is not None:
        text += f", the policy's mean in training {figure(mean)}"
    return f"{text}\n{farewell(session.arena)}"
