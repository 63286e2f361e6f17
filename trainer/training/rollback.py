"""Takes a run back to its last healthy checkpoint and on from there with smaller steps."""

from __future__ import annotations

from dataclasses import replace

from pufftui.trainer.messages.command import RollBack
from pufftui.trainer.settings.fields import TrainConfig
from pufftui.trainer.settings.sources import restore_config
from pufftui.trainer.training.keeper import CheckpointKeeper
from pufftui.trainer.training.reporter import Reporter
from pufftui.trainer.training.session import TrainingSession


def roll_back(
    command: RollBack, session: TrainingSession, reporter: Reporter, keeper: CheckpointKeeper
) -> bool:
    """Carries out the command; whether the run has gone back. If not, an event says why.

    Policy, optimizer, environments and random numbers become those of the checkpoint, and so do the
    live settings, but for the learning rate. What came after it is abandoned, and stays in the store.
    """
    if session.ranks.size > 1:
        reporter.event("error", "a run of several processes cannot be rolled back")
        return False
    saved = keeper.last_healthy(command.before)
    if saved is None:
        reporter.event("error", f"no healthy checkpoint from before step {command.before:,}")
        return False
    left = session.step
    config = restore_config(saved.description["config"], file=saved.path, flags={})
    train = _slower(config.train, command.factor)
    train = replace(train, total_steps=session.config.train.total_steps)
    session.restore(saved.arrays)
    session.config = replace(session.config, train=train)
    session.undoable.clear()
    reporter.roll_back(saved.description)
    keeper.adopt(saved, going_back=True)
    rates = f"{config.train.learning_rate:g} -> {train.learning_rate:g}"
    text = f"rolled back from step {left:,} ({command.reason}), learning rate {rates}"
    reporter.event("rollback", text)
    keeper.write("rolled back")
    return True


def _slower(train: TrainConfig, factor: float) -> TrainConfig:
    return replace(train, learning_rate=train.learning_rate * factor)
