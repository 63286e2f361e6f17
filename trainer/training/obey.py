"""Carries out what the world has asked of the trainer, between two epochs."""

from __future__ import annotations

from pufftui.envs.errors import PuffError
from pufftui.trainer.messages.channel import Channel
from pufftui.trainer.messages.command import (
    Checkpoint,
    Command,
    Pause,
    Resume,
    RollBack,
    SetField,
    Stop,
    UndoChange,
)
from pufftui.trainer.messages.snapshot import Phase
from pufftui.trainer.settings.fields import live_settings, with_live_change
from pufftui.trainer.training.keeper import CheckpointKeeper
from pufftui.trainer.training.reporter import Reporter
from pufftui.trainer.training.rollback import roll_back
from pufftui.trainer.training.session import TrainingSession

FRESH = 2.0
"""A change asks for no checkpoint before it if there is one that is not older, in seconds."""

PAUSED_LOOK = 0.1
"""Seconds that a paused trainer waits for the next command."""


def obey(
    channel: Channel, session: TrainingSession, reporter: Reporter, keeper: CheckpointKeeper
) -> bool:
    """Carries out the waiting commands, stays here while paused; False once asked to stop."""
    paused = False
    while True:
        for command in channel.commands(wait=PAUSED_LOOK if paused else 0.0):
            reporter.command(command)
            match command:
                case Stop():
                    return False
                case Pause() if not paused:
                    paused = True
                    reporter.flush_row()
                    reporter.event("pause", "paused")
                case Resume() if paused:
                    paused = False
                    reporter.event("resume", "resumed")
                    reporter.restart_speed()
                case _:
                    _do(command, session, reporter, keeper)
        if not paused:
            return True
        reporter.show(phase=Phase.PAUSED)


def _do(
    command: Command, session: TrainingSession, reporter: Reporter, keeper: CheckpointKeeper
) -> None:
    match command:
        case Checkpoint(reason, spare) if spare:
            keeper.write_unless_young(reason, spare)
        case Checkpoint(reason):
            keeper.write(reason)
        case RollBack():
            roll_back(command, session, reporter, keeper)
        case SetField():
            back = _change(command, session, reporter, keeper)
            if back is not None:
                session.undoable.append(back)
        case UndoChange() if session.undoable:
            _change(session.undoable.pop(), session, reporter, keeper)
        case UndoChange():
            reporter.event("note", "there is no changed setting to change back")


def _change(
    change: SetField, session: TrainingSession, reporter: Reporter, keeper: CheckpointKeeper
) -> SetField | None:
    """A setting changes from here on; returns what would change it back.

    One that does not fit is told in the log and left.
    """
    try:
        changed, before = with_live_change(session.config, change.path, change.value)
    except PuffError as error:
        reporter.event("error", str(error))
        return None
    keeper.write_unless_young("before a change", FRESH)
    session.config = changed
    reporter.show(settings=live_settings(changed))
    reporter.event("change", f"{change.path} {before:g} -> {change.value:g}")
    return SetField(change.path, before)
