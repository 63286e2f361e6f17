"""When checkpoints are written and which are kept."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import torch

from pufftui.envs.errors import PuffError
from pufftui.trainer.checkpoint import Saved, read_description, write_checkpoint
from pufftui.trainer.device import processor
from pufftui.trainer.layers import config_to_toml
from pufftui.trainer.reporter import Reporter
from pufftui.trainer.run_folder import RunFolder
from pufftui.trainer.session import TrainingSession
from pufftui.trainer.store import StoreWriter


class CheckpointKeeper:
    """Writes a run's checkpoints, prunes the old ones, keeps the best.

    A disk that refuses ends no training: the failure is told in the log and tried again later.
    """

    def __init__(
        self,
        session: TrainingSession,
        folder: RunFolder,
        store: StoreWriter,
        reporter: Reporter,
    ) -> None:
        self._session = session
        self._folder = folder
        self._store = store
        self._reporter = reporter
        self._due = self._next_time()
        self._written: list[tuple[Path, float | None]] = []

    def adopt(self, saved: Saved) -> None:
        """Takes over the checkpoints of a run that is resumed from `saved`.

        Those of later steps, torn or from a branch that is left, go.
        """
        for path in sorted(self._folder.checkpoints.glob("step-*.npz")):
            if path.name > saved.path.name:
                with contextlib.suppress(OSError):
                    path.unlink()
                continue
            with contextlib.suppress(PuffError):
                self._written.append((path, read_description(path).get("score")))
        self._reporter.show(checkpoint_step=self._session.step, checkpoint_path=str(saved.path))

    def write_if_due(self) -> None:
        """Writes a checkpoint if the configured time has passed."""
        if time.monotonic() >= self._due:
            self.write("every few minutes")

    def write(self, reason: str) -> None:
        """Writes a checkpoint of the state after the last epoch."""
        session, reporter = self._session, self._reporter
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
            write_checkpoint(path, session.state(), description)
        except PuffError as error:
            reporter.event("error", str(error))
            return
        self._store.checkpoint(session.step, reporter.seconds(), path.name, score)
        reporter.event("checkpoint", f"checkpoint ({reason})")
        reporter.show(checkpoint_step=session.step, checkpoint_path=str(path))
        self._written = [entry for entry in self._written if entry[0] != path]
        self._written.append((path, score))
        self._prune()

    def _prune(self) -> None:
        keep = {path for path, _ in self._written[-self._session.config.run.keep_checkpoints :]}
        scored = [(score, path) for path, score in self._written if score is not None]
        if scored:
            keep.add(max(scored)[1])
        for path, _ in self._written:
            if path not in keep:
                with contextlib.suppress(OSError):
                    path.unlink()
        self._written = [entry for entry in self._written if entry[0] in keep]

    def _next_time(self) -> float:
        return time.monotonic() + 60 * self._session.config.run.checkpoint_minutes
