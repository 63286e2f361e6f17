"""When checkpoints are written and which are kept."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any

import torch

from pufftui.envs.errors import PuffError
from pufftui.trainer.checkpoint import PARTIAL, Saved, read_description, write_checkpoint
from pufftui.trainer.device import processor
from pufftui.trainer.disk import DiskWatch, Room
from pufftui.trainer.layers import config_to_toml
from pufftui.trainer.reporter import Reporter
from pufftui.trainer.run_folder import RunFolder
from pufftui.trainer.session import TrainingSession
from pufftui.trainer.store import StoreReader, StoreWriter

ALERT_SECONDS = 60.0
"""An alert asks for no checkpoint if there is one that is not older."""

AGAIN_SECONDS = 30.0
"""When a checkpoint is tried again that the disk refused."""


class CheckpointKeeper:
    """Writes a run's checkpoints, prunes the old ones, keeps the best and those that are pinned.

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
        self._last = -ALERT_SECONDS
        self._written: list[tuple[Path, float | None]] = []

    def adopt(self, saved: Saved) -> None:
        """Takes over the checkpoints of a run that is resumed from `saved`.

        Those of later steps, torn or from a branch that is left, go, unless they are pinned. So do
        the leftovers of a write that was cut short.
        """
        pinned = self._pinned()
        for partial in self._folder.checkpoints.glob(PARTIAL):
            _remove(partial)
        for path in sorted(self._folder.checkpoints.glob("step-*.npz")):
            if path.name > saved.path.name:
                if pinned is not None and path.name not in pinned:
                    _remove(path)
                continue
            with contextlib.suppress(PuffError):
                self._written.append((path, read_description(path).get("score")))
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

    def write_on_alert(self, title: str) -> None:
        """Writes a checkpoint because something looks wrong, unless there is a young one."""
        if time.monotonic() >= self._last + ALERT_SECONDS and self._has_room():
            self.write(f"alert: {title}")

    def write(self, reason: str) -> None:
        """Writes a checkpoint of the state after the last epoch, however full the disk is."""
        session, reporter = self._session, self._reporter
        reporter.flush_row()
        self._due = self._next_time()
        path = self._folder.checkpoints / f"step-{session.step:014d}.npz"
        means = session.statistics.means()
        score = means["score"] if means else None
        description = {
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
        self._written = [entry for entry in self._written if entry[0] != path]
        self._written.append((path, score))
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
        """Lets go of all but so many of the newest, the best and the pinned."""
        pinned = self._pinned()
        if pinned is None:
            return
        keep = {path for path, _ in self._written[-newest:]}
        keep |= {path for path, _ in self._written if path.name in pinned}
        scored = [(score, path) for path, score in self._written if score is not None]
        if scored:
            keep.add(max(scored)[1])
        for path, _ in self._written:
            if path not in keep:
                _remove(path)
        self._written = [entry for entry in self._written if entry[0] in keep]

    def _next_time(self) -> float:
        return time.monotonic() + 60 * self._session.config.run.checkpoint_minutes


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
