"""When checkpoints are written and which are kept."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pufftui.envs.errors import PuffError
from pufftui.trainer.checkpoint import (
    PARTIAL,
    Saved,
    read_checkpoint,
    read_description,
    write_checkpoint,
)
from pufftui.trainer.device import processor
from pufftui.trainer.disk import DiskWatch, Room
from pufftui.trainer.layers import config_to_toml
from pufftui.trainer.reporter import Reporter
from pufftui.trainer.run_folder import RunFolder
from pufftui.trainer.session import TrainingSession
from pufftui.trainer.store import StoreReader, StoreWriter

FIRST_SECONDS = 30.0
"""A young run writes its first checkpoint after so long, and each of the next when it is twice as old."""

AGAIN_SECONDS = 30.0
"""When a checkpoint is tried again that the disk refused."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A checkpoint that is there. `healthy`: nothing was wrong when it was written."""

    path: Path
    step: int
    score: float | None
    healthy: bool


class CheckpointKeeper:
    """Writes a run's checkpoints and prunes the old ones.

    The newest few stay, the best, the last healthy one, and those that are pinned.

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

    def adopt(self, saved: Saved) -> None:
        """Takes over the checkpoints of a run that is resumed from `saved`.

        Those of later steps, torn or from a branch that is left, go, unless they are pinned. So do
        the leftovers of a write that was cut short.
        """
        pinned = self._pinned()
        self._written = []
        for partial in self._folder.checkpoints.glob(PARTIAL):
            _remove(partial)
        for path in sorted(self._folder.checkpoints.glob("step-*.npz")):
            if path.name > saved.path.name:
                if pinned is not None and path.name not in pinned:
                    _remove(path)
                continue
            with contextlib.suppress(PuffError):
                told = read_description(path)
                healthy = bool(told.get("healthy", True))
                self._written.append(Entry(path, told["step"], told.get("score"), healthy))
        self._measure(saved.path)
        self._reporter.show(checkpoint_step=self._session.step, checkpoint_path=str(saved.path))

    def write_if_due(self) -> None:
        """Writes a checkpoint if the configured time has passed and the disk has room."""
        if time.monotonic() < self._due:
            return
        if self._has_room():
            self.write("every few minutes")
        else:
            self._due = time.monotonic() + AGAIN_SECONDS

    def write_unless_young(self, reason: str, spare: float) -> None:
        """Writes a checkpoint if there is none younger than so many seconds, and room for it."""
        young = self._last is not None and time.monotonic() < self._last + spare
        if not young and self._has_room():
            self.write(reason)

    def last_healthy(self, before: int) -> Saved | None:
        """The newest checkpoint at or before a step that was written while nothing was wrong."""
        for entry in sorted(self._written, key=lambda entry: -entry.step):
            if entry.healthy and entry.step <= before:
                with contextlib.suppress(PuffError):
                    return Saved(entry.path, *read_checkpoint(entry.path))
        return None

    def write(self, reason: str) -> None:
        """Writes a checkpoint of the state after the last epoch, however full the disk is."""
        session, reporter = self._session, self._reporter
        reporter.flush_row()
        self._due = self._next_time()
        path = self._folder.checkpoints / f"step-{session.step:014d}.npz"
        means = session.statistics.means()
        score = means["score"] if means else None
        healthy = reporter.healthy
        description = {
            "written": time.time(),
            "healthy": healthy,
            "step": session.step,
            "epoch": session.epoch,
            "seconds": reporter.seconds(),
            "score": score,
            "reason": reason,
            "config": config_to_toml(session.config),
            "best_score": reporter.best_score,
            "torch": torch.__version__,
            "device": str(session.device),
            "threads": session.threads,
            "processor": processor(),
        }
        try:
            self._put(path, description)
        except PuffError as error:
            reporter.event("error", str(error))
            self._due = time.monotonic() + AGAIN_SECONDS
            return
        self._last = time.monotonic()
        self._measure(path)
        self._store.checkpoint(session.step, reporter.seconds(), path.name, score, reason)
        reporter.event("checkpoint", f"checkpoint ({reason})")
        reporter.show(checkpoint_step=session.step, checkpoint_path=str(path))
        self._written = [entry for entry in self._written if entry.path != path]
        self._written.append(Entry(path, session.step, score, healthy))
        self._prune(session.config.run.keep_checkpoints)

    def _put(self, path: Path, description: dict[str, Any]) -> None:
        """Writes the file, if need be after older ones have gone: a quota is not told by the disk."""
        try:
            write_checkpoint(path, self._session.state(), description)
        except PuffError:
            self._prune(1)
            write_checkpoint(path, self._session.state(), description)

    def _has_room(self) -> bool:
        """Whether the disk has room for a checkpoint, if need be after older ones have gone."""
        if self._disk.look() is Room.NONE:
            self._prune(1)
        return self._disk.look() is not Room.NONE

    def _measure(self, path: Path) -> None:
        with contextlib.suppress(OSError):
            self._disk.checkpoint_size = path.stat().st_size
        self._disk.look()

    def _pinned(self) -> set[str] | None:
        """Names of the files that a person wants to keep; None if the store cannot tell."""
        reader = StoreReader(self._folder.database)
        try:
            return reader.pinned_files()
        except PuffError:
            return None
        finally:
            reader.close()

    def _prune(self, newest: int) -> None:
        """Lets go of all but so many of the newest, the best, the last healthy, and the pinned."""
        pinned = self._pinned()
        if pinned is None:
            return
        keep = set(self._written[-newest:])
        keep |= {entry for entry in self._written if entry.path.name in pinned}
        keep |= set([entry for entry in self._written if entry.healthy][-1:])
        scored = [
            (entry.score, entry.step, entry) for entry in self._written if entry.score is not None
        ]
        if scored:
            keep.add(max(scored)[2])
        for entry in self._written:
            if entry not in keep:
                _remove(entry.path)
        self._written = [entry for entry in self._written if entry in keep]

    def _next_time(self) -> float:
        most = 60 * self._session.config.run.checkpoint_minutes
        return time.monotonic() + min(most, max(FIRST_SECONDS, self._reporter.seconds()))


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
