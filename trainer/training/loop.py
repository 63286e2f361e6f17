"""The loop of a run around its epochs (epoch.py). The only module that ties torch to the runner.

Everything runs on one thread, the runner's, which imports this module: grad mode, autocast and
the current device are per thread in torch.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from pufftui.envs.errors import PuffError
from pufftui.envs.library import EnvLibrary
from pufftui.trainer.loaded import keep_what_is_loaded, let_go_of_what_is_loaded
from pufftui.trainer.messages.channel import Channel
from pufftui.trainer.messages.snapshot import Phase
from pufftui.trainer.monitor.disk import DiskWatch
from pufftui.trainer.monitor.monitor import Monitor
from pufftui.trainer.monitor.start import Start
from pufftui.trainer.ppo.device import memory_errors_in_words
from pufftui.trainer.ppo.ranks import Ranks
from pufftui.trainer.run.beginning import FOLLOWED
from pufftui.trainer.run.checkpoint import Saved
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.run.naming import NamedPolicy
from pufftui.trainer.settings.choice import chosen_in_words
from pufftui.trainer.settings.fields import Config
from pufftui.trainer.store import StoreWriter
from pufftui.trainer.training.epoch import run_epoch
from pufftui.trainer.training.keeper import CheckpointKeeper
from pufftui.trainer.training.obey import obey
from pufftui.trainer.training.reporter import Reporter
from pufftui.trainer.training.session import TrainingSession

QUICK_EPOCH = 1.0
"""An epoch longer than this many seconds is not waited for when the run is stopped: the state of
its beginning is kept instead, but with train.overlap: to look at the state would drop what was collected ahead."""


@memory_errors_in_words()
def train(
    config: Config,
    library: EnvLibrary,
    folder: RunFolder,
    store: StoreWriter,
    disk: DiskWatch,
    channel: Channel,
    monitor: Monitor,
    start: Start,
    saved: Saved | None,
    beginning: NamedPolicy | None,
) -> Phase:
    """Trains to the end or until stopped; returns how it ended, after the last checkpoint.

    `saved` is where a resumed run goes on, `beginning` the policy whose weights a new one begins with.
    """
    ranks = Ranks.from_environment()
    session = TrainingSession(config, library, ranks, resumed=saved is not None)
    start.ended("policy and environments")
    try:
        reporter = Reporter(session, channel, store, disk, monitor, start.began)
        keeper = CheckpointKeeper(session, folder, store, disk, reporter)
        _begin(session, reporter, keeper, saved, beginning)
        start.ended("checkpoint")
        keep_what_is_loaded()
        first = session.epoch + 1
        boundary: Mapping[str, NDArray[Any]] | None = session.state()
        while session.step < config.train.total_steps:
            before = session.step
            stopped = not obey(channel, session, reporter, keeper)
            if session.step < before:
                boundary = session.state()
            if ranks.any(stopped, session.device):
                break
            epoch_began = time.monotonic()
            # Ranks work in step, so with several only whole epochs can be left.
            quick = boundary is not None and ranks.size == 1
            report = run_epoch(session, channel.stopping if quick else _never)
            if report is None:
                assert boundary is not None
                session.restore(boundary)
                break
            if report.figures["finite"] < 1:
                # The bad updates were left out, so the weights are still good.
                where = session.not_finite()
                reporter.epoch(report)
                keeper.write("before numbers that are not finite", healthy=False)
                raise PuffError(
                    f"Near step {session.step:,} {where} stopped being finite.",
                    "A checkpoint holds the last good weights.",
                )
            reporter.epoch(report)
            if session.epoch == first:
                _tell_of_start(start, session, folder, reporter)
            keeper.write_if_due()
            keeper.write_if_best()
            slow = time.monotonic() - epoch_began > QUICK_EPOCH
            boundary = session.state() if slow and config.train.overlap == "off" else None
        for command in channel.commands():  # a Stop that cut an epoch short
            reporter.command(command)
        finished = session.step >= config.train.total_steps
        reporter.show(phase=Phase.STOPPING, activity="writing the last checkpoint")
        reporter.flush_row()
        keeper.end()
        reporter.event("stop", "finished" if finished else "stopped")
        channel.weights = session.weights()
        return Phase.FINISHED if finished else Phase.INTERRUPTED
    finally:
        session.close()
        let_go_of_what_is_loaded()


@memory_errors_in_words()
def follow(
    config: Config, library: EnvLibrary, saved: Saved | None, beginning: NamedPolicy | None
) -> None:
    """What every rank but the first does: trains in step with it and writes nothing."""
    ranks = Ranks.from_environment()
    session = TrainingSession(config, library, ranks, resumed=saved is not None)
    try:
        if saved is not None:
            session.restore_shared(saved.arrays)
        elif beginning is not None:
            session.begin_from(beginning.saved)
        keep_what_is_loaded()
        while session.step < config.train.total_steps:
            if ranks.any(False, session.device):
                break
            report = run_epoch(session, _never)
            if report is None or report.figures["finite"] < 1:
                break
    finally:
        session.close()
        let_go_of_what_is_loaded()


def _begin(
    session: TrainingSession,
    reporter: Reporter,
    keeper: CheckpointKeeper,
    saved: Saved | None,
    beginning: NamedPolicy | None,
) -> None:
    if saved is None:
        if beginning is not None:
            session.begin_from(beginning.saved)
        keeper.write("the start")
        reporter.event("start", f"training {session.config.env} on {session.device}")
        if beginning is not None:
            reporter.event("note", f"begins with the weights of {beginning.name}")
        config = session.config
        if beginning is not None:
            config = replace(config, chosen=config.chosen - FOLLOWED)
        if chosen := chosen_in_words(config):
            reporter.event("note", f"chosen by a little random play: {chosen}")
    else:
        games_go_on = session.restore(saved.arrays)
        reporter.resume(saved.description, games_go_on=games_go_on)
        keeper.adopt(saved)
    reporter.ready()


def _tell_of_start(
    start: Start, session: TrainingSession, folder: RunFolder, reporter: Reporter
) -> None:
    """After the first epoch: what took how long, and what a GPU goes without."""
    start.ended("first epoch")
    folder.note(str(start))
    for shortfall in session.shortfalls:
        reporter.event("warning", f"this GPU runs without {shortfall}")


def _never() -> bool:
    return False
