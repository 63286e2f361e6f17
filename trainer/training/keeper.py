"""When checkpoints are written and which are kept."""

from __future__ import annotations

import contextlib
import fnmatch
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from pufftui.envs.errors import PuffError
from pufftui.trainer.files.held_folder import Identity, identity_in
from pufftui.trainer.monitor.disk import DiskWatch, Room
from pufftui.trainer.ppo.device import processor
from pufftui.trainer.run.checkpoint import (
    NAMES,
    PARTIAL,
    Saved,
    checkpoint_name,
    not_finite,
    place,
    read_description,
    read_saved,
    unwritable,
    without_games,
    write_checkpoint,
)
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.settings.sources import config_to_toml
from pufftui.trainer.store import StoreReader, StoreWriter
from pufftui.trainer.training.reporter import Reporter
from pufftui.trainer.training.session import TrainingSession

FIRST_SECONDS = 30.0
"""A young run writes its first checkpoint after so long, and each of the next when it is twice as old."""

BEST_SECONDS, BEST_SHARE = 10.0, 0.1
"""A better score is kept if the last checkpoint is older than this, and than this share of the run's time."""

AGAIN_SECONDS = 30.0
"""When a checkpoint is tried again that the disk refused."""

ASIDE = "damaged-"
"""Begins the names of checkpoints that a run could not go on from."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A checkpoint that is there. `healthy`: nothing was wrong when it was written."""

    name: str
    step: int
    score: float | None
    healthy: bool
    identity: Identity | None


class CheckpointKeeper:
    """Writes a run's checkpoints and prunes the old ones.

    The newest few stay, the newest few that are healthy, the best, and those that are pinned. Only
    what this run has written is ever deleted, in its own folder, whatever that is called by now.

    A disk that is full or refuses ends no training: the failure is told in the log and tried again
    later, and the last good checkpoint stays.
    """

    def __init__(
        self,
        session: TrainingSession,
        folder: RunFolder,
        store: StoreWriter,
        disk: DiskWatch,
        reporter: Reporter,
    ) -> None:
        self._session = session
        self._folder = folder
        self._store = store
        self._disk = disk
        self._reporter = reporter
        self._due = self._next_time()
        self._last: float | None = None
        self._written: list[Entry] = []
        self._branch = 0
        self._renewals = folder.renewals
        self._complained = False

    def adopt(self, saved: Saved, *, going_back: bool = False) -> None:
        """Takes over the checkpoints of a run that goes on from `saved`, and begins a branch there.

        Those of later steps on a branch that is left go, unless they are pinned. Later ones on its own
        branch were passed over, for they are damaged: they are set aside under another name. With
        `going_back` it is left as well. What goes is told, but for leftovers of a write that was cut
        short.
        """
        here, pinned = place(saved.description), self._pinned()
        branches, left, damaged = [here[0]], [], []
        self._written = []
        with self._checkpoints() as folder:
            names = sorted(os.listdir(folder))  # noqa: PTH208 - of a descriptor
            for name in fnmatch.filter(names, PARTIAL):
                _remove(folder, name, identity_in(folder, name))
            for name in fnmatch.filter(names, NAMES):
                entry, where = _entry(folder, name)
                branches += [where[0]] if where else []
                if entry is not None and entry.step <= here[1]:
                    self._written.append(entry)
                elif name <= saved.path.name or pinned is None or name in pinned:
                    continue
                elif entry is not None and where is not None and (where < here or going_back):
                    left.append(name)
                    _remove(folder, name, entry.identity)
                else:
                    damaged.append(name)
                    _set_aside(folder, name)
            self._measure(folder, saved.path.name)
        self._branch = max(branches) + 1
        if left:
            self._reporter.event("note", f"left behind and deleted: {', '.join(left)}")
        if damaged:
            text = f"could not continue from {', '.join(damaged)}; kept as {ASIDE}*"
            self._reporter.event("warning", text)
        path = self._folder.checkpoints / saved.path.name
        self._reporter.show(checkpoint_step=self._session.step, checkpoint_path=str(path))

    def write_if_due(self) -> None:
        """Writes a checkpoint if the configured time has passed and the disk has room."""
        if self._folder.renewals != self._renewals:
            self._renewals, self._written = self._folder.renewals, []
            self.write("the folder was gone")
        if time.monotonic() < self._due:
            return
        if self._has_room():
            self.write("every few minutes")
        else:
            self._due = time.monotonic() + AGAIN_SECONDS

    def write_if_best(self) -> None:
        """Keeps a policy that is surely better than those that are kept, now and then: the end may be worse."""
        interval, best = self._session.statistics.score_interval(), self._best()
        if interval is None or (best is not None and interval[0] <= (best.score or 0.0)):
            return
        self.write_unless_young(
            "the best so far", max(BEST_SECONDS, BEST_SHARE * self._reporter.seconds())
        )

    def end(self) -> None:
        """Writes the last checkpoint; if an earlier one is surely better, that is told."""
        self.write("the end")
        interval, best = self._session.statistics.score_interval(), self._best()
        if interval is None or best is None or best.score is None or best.score <= interval[1]:
            return
        text = f"The checkpoint of step {best.step:,} has a better score than the end: {best.score:.4g}."
        self._reporter.event("note", text)
        self._reporter.show(better_checkpoint=text)

    def write_unless_young(self, reason: str, spare: float) -> None:
        """Writes a checkpoint if there is none younger than so many seconds, and room for it."""
        young = self._last is not None and time.monotonic() < self._last + spare
        if not young and self._has_room():
            self.write(reason)

    def last_healthy(self, before: int) -> Saved | None:
        """The newest checkpoint at or before a step that was written while nothing was wrong."""
        for entry in sorted(self._written, key=lambda entry: -entry.step):
            if entry.healthy and entry.step <= before:
                with contextlib.suppress(PuffError), self._checkpoints() as folder:
                    return read_saved(Path(entry.name), folder=folder)
        return None

    def write(self, reason: str, *, healthy: bool = True) -> None:
        """Writes a checkpoint of the state after the last epoch, however full the disk is.

        A state that no run could go on from is not written; of one whose games alone are spoiled,
        everything else is. `healthy` of False says that something is wrong that no check has found.
        """
        session, reporter = self._session, self._reporter
        reporter.flush_row()
        self._due = self._next_time()
        name = checkpoint_name(session.step)
        means = session.statistics.means()
        score = means["score"] if means else None
        healthy = healthy and reporter.healthy
        arrays, games = session.state(), session.games_are_finite()
        if not games:
            reporter.event("warning", "the games hold numbers that are not finite: not kept")
            arrays = without_games(arrays)
        if bad := not_finite(arrays):
            reporter.event("error", f"no checkpoint was written, because {bad[0]} is not finite")
            return
        description = {
            "written": time.time(),
            "branch": self._branch,
            "healthy": healthy,
            "games": games,
            "step": session.step,
            "epoch": session.epoch,
            "seconds": reporter.seconds(),
            "score": score,
            "reward_scale": session.reward_scale,
            "reason": reason,
            "config": config_to_toml(session.config),
            "best_score": reporter.best_score,
            "torch": torch.__version__,
            "device": str(session.device),
            "threads": session.threads,
            "processor": processor(),
        }
        try:
            written = self._put(name, arrays, description)
        except PuffError as error:
            reporter.event("error", str(error))
            self._due = time.monotonic() + AGAIN_SECONDS
            return
        self._last = time.monotonic()
        self._store.checkpoint(session.step, reporter.seconds(), name, score, reason)
        reporter.event("checkpoint", f"checkpoint ({reason})")
        path = self._folder.checkpoints / name
        reporter.show(checkpoint_step=session.step, checkpoint_path=str(path))
        self._written = [entry for entry in self._written if entry.name != name]
        self._written.append(Entry(name, session.step, score, healthy, written))
        self._prune(session.config.run.keep_checkpoints)

    def _put(
        self, name: str, arrays: dict[str, NDArray[Any]], description: dict[str, Any]
    ) -> Identity | None:
        """Writes the file, if need be after older ones have gone: a quota is not told by the disk."""
        path = self._folder.checkpoints / name
        with self._checkpoints() as folder:
            try:
                write_checkpoint(path, arrays, description, folder)
            except PuffError:
                self._prune(1)
                write_checkpoint(path, arrays, description, folder)
            self._measure(folder, name)
            return identity_in(folder, name)

    def _has_room(self) -> bool:
        """Whether the disk has room for a checkpoint, if need be after older ones have gone."""
        if self._disk.look() is Room.NONE:
            self._prune(1)
        return self._disk.look() is not Room.NONE

    def _measure(self, folder: int, name: str) -> None:
        with contextlib.suppress(OSError):
            self._disk.checkpoint_size = os.stat(name, dir_fd=folder).st_size
        self._disk.look()

    def _pinned(self) -> set[str] | None:
        """Names of the files that a person wants to keep; None if the store cannot tell."""
        reader, why = StoreReader(self._folder.database), "The store is locked."
        try:
            pinned = reader.pinned_files()
        except PuffError as error:
            pinned, why = None, error.message
        finally:
            reader.close()
        if pinned is None and not self._complained:
            self._complained = True
            text = "No checkpoint is deleted while the store cannot say which are pinned."
            self._reporter.event("error", f"{text} {why}")
        return pinned

    def _best(self) -> Entry | None:
        """The one with the best score, of equals the newest."""
        scored = [entry for entry in self._written if entry.score is not None]
        return max(scored, key=lambda entry: (entry.score, entry.step), default=None)

    def _prune(self, newest: int) -> None:
        """Lets go of all but so many of the newest and of the healthy, the best, and the pinned."""
        pinned = self._pinned()
        if pinned is None:
            return
        keep = set(self._written[-newest:])
        keep |= {entry for entry in self._written if entry.name in pinned}
        keep |= set([entry for entry in self._written if entry.healthy][-newest:])
        best = self._best()
        if best is not None:
            keep.add(best)
        with contextlib.suppress(PuffError), self._checkpoints() as folder:
            for entry in self._written:
                if entry not in keep:
                    _remove(folder, entry.name, entry.identity)
        self._written = [entry for entry in self._written if entry in keep]

    @contextlib.contextmanager
    def _checkpoints(self) -> Iterator[int]:
        """The open folder of the checkpoints; raises `PuffError` if it is not to be had."""
        try:
            stack = contextlib.ExitStack()
            folder = stack.enter_context(self._folder.checkpoint_folder())
        except OSError as error:
            raise unwritable(self._folder.checkpoints, error) from None
        with stack:
            yield folder

    def _next_time(self) -> float:
        most = 60 * self._session.config.run.checkpoint_minutes
        return time.monotonic() + min(most, max(FIRST_SECONDS, self._reporter.seconds()))


def _entry(folder: int, name: str) -> tuple[Entry | None, tuple[int, int] | None]:
    """A checkpoint in an open folder and its place; nothing if it is damaged."""
    try:
        told, found = read_description(Path(name), folder), identity_in(folder, name)
        healthy = bool(told.get("healthy", True))
        return Entry(name, told["step"], told.get("score"), healthy, found), place(told)
    except (PuffError, KeyError, TypeError, ValueError):
        return None, None


def _remove(folder: int, name: str, own: Identity | None) -> None:
    """Deletes a file of ours in an open folder, unless another has its name by now."""
    if own is not None and identity_in(folder, name) == own:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=folder)


def _set_aside(folder: int, name: str) -> None:
    with contextlib.suppress(OSError):
        os.rename(name, f"{ASIDE}{name}", src_dir_fd=folder, dst_dir_fd=folder)
