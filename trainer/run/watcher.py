"""A run seen from outside: snapshots made from its folder alone, while it lives and years later."""

from __future__ import annotations

import contextlib
import math
import threading
import time
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from pufftui.envs.errors import PuffError
from pufftui.envs.reading import read_small_text
from pufftui.trainer.messages.snapshot import LOSSES, Phase, Snapshot
from pufftui.trainer.messages.weights import PolicyWeights
from pufftui.trainer.run.checkpoint import newest_checkpoint
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.run.lock import Holder
from pufftui.trainer.run.outlook import Outlook
from pufftui.trainer.run.policies import POLICY, weights_from
from pufftui.trainer.store import Event, Lineage, MetricRows, NotFinite, StoreReader

LAST_ROWS = 240
"""Rows of the past that tell how fast a run is."""

POLL_SECONDS = 0.25
POLICY_SECONDS = 1.0
"""Time between two looks at the store, and at the folder of the checkpoints."""

UNKNOWN_SILENCE = 60.0
"""Where the filesystem has no locks, a trainer that says nothing for so long is taken for dead."""

STATISTIC, TIME = "statistic_", "time_"
"""Begin the names of metrics that are statistics of episodes, and shares of an epoch's time."""

METRICS = {
    "score": "score",
    "best_score": "best_score",
    "perf": "perf",
    "episode_return": "episode_return",
    "episode_length": "episode_length",
    "steps_per_second": "sps",
    "learning_rate": "learning_rate",
    "clamped_rewards": "clamped_rewards",
}
"""Fields of a snapshot and the metrics that hold them."""

COUNTS = ("episodes", "provisional_steps")
"""Fields that are metrics of the same name, and whole numbers."""

INTERVAL = ("score_low", "score_high")

TOLD = {*LOSSES, *METRICS.values(), *COUNTS, *INTERVAL}
"""All of them, beside statistics and shares of time."""

FACTS: dict[str, type] = {"total_steps": int, "device": str, "parameters": int, "start_from": str}
"""Fields of a snapshot that the trainer says once, when it begins."""


class Watcher:
    """Looks at a run from a thread of its own and changes nothing. `latest` is replaced whole.

    `gone` is whether the folder has been removed; `holder` is who trains the run; `trouble` says in
    a sentence what cannot be read; `weights` is the policy of the newest checkpoint, and
    `no_policy` why there is none.
    """

    def __init__(self, folder: RunFolder) -> None:
        """Reads nothing yet."""
        self.folder = folder
        self.latest = Snapshot(Phase.STARTING, "looking for the run")
        self.weights: PolicyWeights | None = None
        self.no_policy = ""
        self.trouble = ""
        self.gone = False
        self.holder: Holder | None = None
        self._reader = StoreReader(folder.database)
        self._story = Story(_planned(folder))
        self._identity = _identity(folder.path)
        self._checkpoint: Path | None = None
        self._checkpoint_step = 0
        self._seen: tuple[Path | None, float] = (None, 0.0)
        self._policy_due = 0.0
        self._heard = -math.inf  # on the clock that nobody sets
        self._written = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    @property
    def silence(self) -> float:
        """Seconds since the trainer has written anything."""
        return time.monotonic() - self._heard

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; does not wait, for a filesystem may hang."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(POLL_SECONDS):
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - a stranger's files may hold anything
                self.trouble = f"The run cannot be read ({error!r})."
        self._reader.close()

    def look(self) -> None:
        """Looks once; afterwards `latest` is of now. The thread does this several times a second."""
        try:
            self._look_at_folder()
            if not self.gone:
                self._story.read(self._reader)
            self.trouble = ""
        except PuffError as error:
            self.trouble = str(error)
        snapshot = self._story.snapshot(self._phase())
        if time.monotonic() >= self._policy_due:
            self._policy_due = time.monotonic() + POLICY_SECONDS
            self._look_for_policy()
        if self._checkpoint is not None:
            snapshot = replace(
                snapshot,
                checkpoint_path=str(self._checkpoint),
                checkpoint_step=self._checkpoint_step,
            )
        if not _same(snapshot, self.latest):
            self.latest = snapshot

    def _look_at_folder(self) -> None:
        self.gone = _identity(self.folder.path) != self._identity
        self.holder = None if self.gone else self.folder.holder()
        written = max(_written(self.folder.database), _written(self.folder.database_log))
        if written != self._written:
            # What was written before this looked has an age by the wall clock alone, which may be wrong.
            age = max(0.0, time.time() - written) if not self._written else 0.0
            self._heard = time.monotonic() - age
            self._written = written

    def _phase(self) -> Phase:
        told, holder = self._story.phase, self.holder
        training = holder.training if holder else False
        if training is None:
            training = not told.ended and self.silence < UNKNOWN_SILENCE
        if not training:
            return told if told.ended else Phase.DIED
        if told.ended:
            # The last words of one trainer, or the first moment of the next.
            again = holder is not None and holder.since > self._story.began
            return Phase.STARTING if again else Phase.STOPPING
        return told

    def _look_for_policy(self) -> None:
        newest = max(self.folder.checkpoints.glob("step-*.npz"), default=None)
        seen = newest, _written(newest) if newest else 0.0
        if seen == self._seen:
            return
        self._seen = seen
        try:
            saved, _ = newest_checkpoint(self.folder.checkpoints, section=POLICY)
            if saved is None:
                return
            self._checkpoint, self._checkpoint_step = saved.path, int(saved.description["step"])
            self.weights, self.no_policy = weights_from(saved), ""
        except PuffError as error:
            self.no_policy = error.message
        except (KeyError, ValueError, TypeError) as error:
            self.no_policy = f"{newest} is not a checkpoint ({error!r})."


class Story:
    """What the store has told so far, as the fields of a snapshot."""

    def __init__(self, total_steps: int) -> None:
        """`total_steps` is what was planned at first, 0 if unknown."""
        self.phase = Phase.STARTING
        self.began = 0.0
        """When the trainer of the newest lineage began, in Unix seconds."""
        self._lineage = self._newest = 0
        self._event = 0
        self._row: int | None = None
        self._fields: dict[str, Any] = {"total_steps": total_steps}
        self._values: dict[str, float] = {}
        self._outlook = Outlook()

    def read(self, reader: StoreReader) -> None:
        """Takes in what is new; raises `PuffError` if the store cannot be read."""
        for event in reader.events_after(self._event):
            self._event = event.id
            self._hear(event)
        lineages = reader.lineages()
        if lineages:
            self._begin(lineages[-1])
        facts = reader.facts()
        self._fields |= {n: facts[n] for n, kind in FACTS.items() if isinstance(facts.get(n), kind)}
        if self._row is None:
            # Of a long run only the end is of interest here, and what was last known of each metric.
            self._row = max(0, reader.last_row() - LAST_ROWS)
            told = [name for name in reader.metric_names() if _is_told(name)]
            self._values = reader.newest_values(told)
        rows = reader.metrics_after(self._row)
        if len(rows.steps):
            self._row = rows.last
            self._take(rows, reader.not_finite())
            if rows.lineages[-1] != self._lineage and lineages:
                # The run went back and has written nothing since.
                self._fields["step"] = lineages[-1].from_step
            elif self.phase is Phase.STARTING:
                self.phase = Phase.RUNNING

    def snapshot(self, phase: Phase) -> Snapshot:
        """The snapshot of a run that is in this phase."""
        fields = dict(self._fields)
        speed, total = fields.get("steps_per_second"), fields.get("total_steps")
        if phase is Phase.RUNNING and speed and total:
            left = max(total - fields.get("step", 0), 0)
            known = self._outlook.seconds(left)
            fields["seconds_left"] = left / speed if known is None else known
        return Snapshot(phase=phase, **fields)

    def _take(self, rows: MetricRows, not_finite: Mapping[str, NotFinite]) -> None:
        for name in filter(_is_told, rows.values):
            column = rows.values[name]
            known = column[~np.isnan(column)]
            if len(known):
                self._values[name] = float(known[-1])
        for seconds, step in zip(rows.seconds.tolist(), rows.steps.tolist(), strict=True):
            self._outlook.see(seconds, step)
        odd = {name: found.value for name, found in not_finite.items()}
        self._fields |= {
            "step": int(rows.steps[-1]),
            "seconds": float(rows.seconds[-1]),
            "epoch": int(rows.epochs[-1]),
            "not_finite": {name: found.words for name, found in not_finite.items()},
            **fields_of({**self._values, **odd}),
        }

    def _hear(self, event: Event) -> None:
        self._meet(event.lineage)
        self._fields["seconds"] = event.seconds
        match event.kind:
            case "start" | "resume":
                self.phase = Phase.RUNNING
                self._fields |= {"failure": "", "failure_hint": ""}
            case "pause":
                self._outlook.rest()
                self.phase = Phase.PAUSED
            case "stop":
                finished = event.text == "finished"
                self.phase = Phase.FINISHED if finished else Phase.INTERRUPTED
            case "failed":
                self.phase = Phase.FAILED
                self._fields["failure"] = event.text

    def _begin(self, lineage: Lineage) -> None:
        self._meet(lineage.id)
        if lineage.id > self._lineage:
            self._fields["step"] = lineage.from_step
        self._lineage, self.began = lineage.id, lineage.started

    def _meet(self, lineage: int) -> None:
        """A lineage starts when it is first heard of, by itself or by an event, and only then."""
        if lineage > self._newest:
            self._newest = lineage
            self.phase = Phase.STARTING


def _is_told(metric: str) -> bool:
    """Whether a snapshot tells of a metric; a program may log any number of others."""
    return metric in TOLD or metric.startswith((TIME, STATISTIC))


def fields_of(values: Mapping[str, float]) -> dict[str, Any]:
    """The last values of the metrics as fields of a snapshot."""
    fields: dict[str, Any] = {
        "losses": {name: values[name] for name in LOSSES if name in values},
        "time_shares": _named(values, TIME),
        "statistics": _named(values, STATISTIC),
    }
    fields |= {name: values[metric] for name, metric in METRICS.items() if metric in values}
    fields |= {n: int(values[n]) for n in COUNTS if math.isfinite(values.get(n, math.nan))}
    if all(name in values for name in INTERVAL):
        fields["score_interval"] = tuple(values[name] for name in INTERVAL)
    return fields


def _named(values: Mapping[str, float], beginning: str) -> dict[str, float]:
    return {
        name.removeprefix(beginning): value
        for name, value in values.items()
        if name.startswith(beginning)
    }


def _planned(folder: RunFolder) -> int:
    """The steps that a run was to have when it began, 0 if its folder does not say."""
    with contextlib.suppress(
        OSError, ValueError, KeyError, TypeError, RecursionError, OverflowError
    ):
        settings = tomllib.loads(read_small_text(folder.config_file))
        return int(settings["train"]["total_steps"])
    return 0


def _same(one: Snapshot, other: Snapshot) -> bool:
    return all(getattr(one, at.name) == getattr(other, at.name) for at in fields(one))


def _identity(folder: Path) -> tuple[int, int] | None:
    """What tells a folder from another of the same name."""
    with contextlib.suppress(OSError):
        found = folder.stat()
        return found.st_dev, found.st_ino
    return None


def _written(file: Path) -> float:
    """When a file was last written, in Unix seconds; 0 without it."""
    with contextlib.suppress(OSError):
        return file.stat().st_mtime
    return 0.0
