"""Shows a run that another process trains or has trained, until the person leaves."""

from __future__ import annotations

import socket
from dataclasses import fields

from pufftui.apps.ending import ending
from pufftui.apps.options import Wishes
from pufftui.apps.recorded import farewell
from pufftui.apps.training import PuffApp
from pufftui.control.client import Connection, Control
from pufftui.envs.catalogue import load_env
from pufftui.envs.descriptor import Descriptor, unknown_env
from pufftui.envs.errors import PuffError
from pufftui.envs.reading import read_small_text
from pufftui.state.session import AttachSession, EmptyStage, Stage, WatchSession
from pufftui.terminal.private import passing_log
from pufftui.trainer.arena.arena import Arena
from pufftui.trainer.messages.snapshot import Phase
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.run.policies import run_environment
from pufftui.trainer.run.watcher import Watcher
from pufftui.trainer.settings.sources import restore_config
from pufftui.trainer.store import StoreReader


def watch_session(folder: RunFolder) -> WatchSession:
    """What the dashboard needs to show a run, which has been looked at once."""
    watcher = Watcher(folder)
    watcher.look()
    arena, descriptor, no_game = _game(folder, watcher)
    return WatchSession(
        runner=watcher,
        arena=arena,
        folder=folder,
        descriptor=descriptor,
        open_store=lambda: StoreReader(folder.database),
        no_game=no_game,
        logged=run_environment(folder) is None,
    )


def attach_session(folder: RunFolder) -> AttachSession:
    """The same with the way to control it; raises `PuffError` if nobody can be attached to."""
    try:
        Connection(folder.path).close()
    except OSError as error:
        raise _unattachable(folder, error) from None
    watched = watch_session(folder)
    control = Control(folder.path)
    given = {field.name: getattr(watched, field.name) for field in fields(watched)}
    return AttachSession(control=control, **given)


def _unattachable(folder: RunFolder, error: OSError) -> PuffError:
    run, holder = folder.id, folder.holder()
    if folder.config_file.is_file() and run_environment(folder) is None:
        return PuffError(
            f"{run} is logged by another program, which has no controls.",
            f"Watch it: pufftui watch {run}.",
        )
    if holder is None or not holder.training:
        return PuffError(
            f"Nobody trains {run} right now.",
            f"Go on with it: pufftui resume {run}. Or look at it: pufftui watch {run}.",
        )
    if holder.host != socket.gethostname():
        return PuffError(f"{run} is trained on {holder.host}.", "Attach to it there.")
    return PuffError(
        f"{holder.name[0].upper()}{holder.name[1:]}, which trains {run}, cannot be attached to "
        f"({error.strerror or error}).",
        f"It does not listen in its first seconds; try again. Or just watch it: pufftui watch {run}.",
    )


def run_watch(session: WatchSession, wishes: Wishes | None = None) -> int:
    """Shows it; the exit status: 0, 1 if the screen failed, 130 after a signal."""
    app = PuffApp(session, wishes)
    run = session.folder.id
    with passing_log("pufftui-watch-") as log:
        message = f" while watching {run}\nWhat happened is in {log}\n"
        try:
            app.run_alone(log, message)
        finally:
            session.arena.stop()
            session.runner.stop()
            if isinstance(session, AttachSession):
                session.control.stop()
        told = farewell(session.arena) + _onward(session)
        return ending(app, log, told, f"{run} is as it was. ")


def _onward(session: WatchSession) -> str:
    """How to go on with a run that nobody trains now and that has not finished, to be copied."""
    stopped = session.runner.latest.phase in (Phase.INTERRUPTED, Phase.DIED)
    if not stopped or session.logged:
        return ""
    return f"To go on: pufftui resume {session.folder.id}\n"


def _game(folder: RunFolder, watcher: Watcher) -> tuple[Stage, Descriptor, str]:
    """The run's game, played with its newest policy; or why there is none."""
    env = run_environment(folder)
    if env is None:
        return EmptyStage(), unknown_env("logged"), "This run has no game."
    try:
        library = load_env(env)
        text = read_small_text(folder.config_file)
        config = restore_config(text, file=folder.config_file, flags={})
    except (PuffError, OSError, ValueError) as error:
        return EmptyStage(), unknown_env(env), f"There is no game to see. {error}"
    arena = Arena(library, config.parameters, lambda: watcher.weights, config.run.seed)
    return arena, library.descriptor, ""
