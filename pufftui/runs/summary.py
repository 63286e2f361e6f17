"""What is known of a run at a glance: read from its folder, quickly however long the run is."""

from __future__ import annotations

import math
import time
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.errors import PuffError
from pufftui.envs.reading import read_small_text
from pufftui.runs.evaluated import Evaluated, newest_evaluation
from pufftui.runs.query import Fields, Value
from pufftui.trainer.messages.snapshot import Phase
from pufftui.trainer.run.folder import RunFolder, run_names, runs_root
from pufftui.trainer.settings.sources import CHOSEN, ENVIRONMENT
from pufftui.trainer.store import Event, NotFinite, StoreReader

CURVE_POINTS = 64
"""Blocks of the score curve that are read; a sparkline shows fewer."""

LARGEST = 2**63
"""Of the whole numbers that a run may name."""

LAST_MOMENT = 253_402_300_799.0
"""Unix time of the end of the last year that a date can name."""

SCORE = "score"
"""The metric that every list of runs shows."""

SCORES = (SCORE, "score_low", "score_high")
"""It, and the ends of its interval."""

BROKEN, DEAD = "broken", "dead"
"""The states of a run that cannot be read, and of one that ended without saying so."""

PROCESSES = "processes"
"""The fact in the store that says how many processes train a run together."""

LIVE = (Phase.STARTING.value, Phase.RUNNING.value, Phase.PAUSED.value)
"""The states of a run that can still change."""

EVENTS = {
    "start": Phase.RUNNING,
    "pause": Phase.PAUSED,
    "resume": Phase.RUNNING,
    "failed": Phase.FAILED,
}
"""What a run is doing after an event of that kind."""

FIELDS = (
    *("name", "env", "state", "tag", "note", "seed"),
    *("step", "total_steps", "score", "best", "evaluated", "age", "duration"),
)
"""What every run can be searched for, beside its settings and the last value of its metrics."""


@dataclass(frozen=True, slots=True, eq=False)
class RunSummary:
    """One run. None is what is not known; `trouble` says why a broken one cannot be read.

    `seconds` is the training time, `began` Unix time of the last start, `last` the newest value of
    the metrics that were asked for, those that are `not_finite` now among them, `evaluated` the newest
    evaluation, `settings` those at the start by path, `curve` means of the score, rising in steps, NaN where
    it is not known.
    """

    name: str
    env: str | None = None
    state: str = BROKEN
    step: int = 0
    total_steps: int | None = None
    score: float | None = None
    best: float | None = None
    evaluated: Evaluated | None = None
    seconds: float = 0.0
    began: float | None = None
    tags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    last: Mapping[str, float] = field(default_factory=dict)
    not_finite: Mapping[str, NotFinite] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    curve: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    trouble: str = ""

    @property
    def age(self) -> float | None:
        """Seconds since the run was last started."""
        return None if self.began is None else max(0.0, time.time() - self.began)

    @property
    def live(self) -> bool:
        """Whether it is being trained, and so can still change."""
        return self.state in LIVE

    @property
    def logged(self) -> bool:
        """Whether another program made the run and only its figures are known."""
        return any(path.startswith("log.") for path in self.settings)

    def fields(self) -> Fields:
        """Everything by name, for queries; names are in small letters, numbers are floats."""
        own: dict[str, Value] = {
            "name": self.name,
            "env": self.env,
            "state": self.state,
            "tag": self.tags,
            "note": self.notes,
            "seed": _value(self.settings.get("run.seed")),
            "step": float(self.step),
            "total_steps": _value(self.total_steps),
            "score": _value(self.score),
            "best": self.best,
            "evaluated": _value(self.evaluated and self.evaluated.mean),
            "age": self.age,
            "duration": self.seconds,
        }
        settings = {path.lower(): _value(value) for path, value in self.settings.items()}
        last = {name.lower(): _value(value) for name, value in self.last.items()}
        return {**last, **settings, **own}


def summarise_all(metrics: Collection[str] | None = None) -> list[RunSummary]:
    """Every run of the folder of runs, the one started or resumed last first; `metrics` as `summarise`."""
    names = run_names()
    runs = [summarise(RunFolder(runs_root() / name), metrics) for name in names]
    return runs + _not_whole(names)


def summarise(folder: RunFolder, metrics: Collection[str] | None = None) -> RunSummary:
    """What a run's folder says, in a few small reads; a broken one says why it is.

    `metrics` are names, in small letters, of those whose last values are wanted beside the score, None
    is all of them. A run may have hundreds of thousands, so whoever needs few says so.
    """
    try:
        return _read(folder, metrics)
    except (
        *(PuffError, OSError, ValueError, TypeError),
        *(ArithmeticError, LookupError, RecursionError),
    ) as error:
        trouble = error.message if isinstance(error, PuffError) else f"It cannot be read: {error}."
        return RunSummary(folder.id, trouble=trouble)


def read_settings(folder: RunFolder) -> dict[str, Any]:
    """The settings of a run by path, such as `train.learning_rate`."""
    tables = tomllib.loads(read_small_text(folder.config_file))
    tables.pop(CHOSEN, None)  # Says of settings how they came about, and is none.
    return dict(_flat("", tables))


def _flat(prefix: str, table: Mapping[str, Any]) -> list[tuple[str, Any]]:
    paths: list[tuple[str, Any]] = []
    for name, value in table.items():
        path = f"{prefix}{name}"
        paths += _flat(f"{path}.", value) if isinstance(value, dict) else [(path, value)]
    return paths


def _value(value: object) -> Value:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) > LARGEST:
        return None
    if isinstance(value, (int, float)):
        return None if math.isnan(value) else float(value)
    return value if isinstance(value, str) else None


def _read(folder: RunFolder, metrics: Collection[str] | None) -> RunSummary:
    settings = read_settings(folder)
    if not folder.database.is_file():
        raise PuffError("Its store run.db is missing.")
    reader = StoreReader(folder.database, at_once=True)
    try:
        blocks = reader.metrics_between(points=CURVE_POINTS, only=(SCORE,))
        step, seconds = reader.last_place()
        wanted = _wanted(reader, metrics)
        last, not_finite = reader.newest_values(wanted), reader.not_finite(wanted)
        lineages, notes, tags = reader.lineages(), reader.notes_after(0), reader.tags()
        facts, events = reader.facts(), reader.events_after(0)
        evaluations = reader.evaluations()
    finally:
        reader.close()
    last |= {name: odd.value for name, odd in not_finite.items()}
    scores = blocks.high.get(SCORE, np.empty(0, np.float32))
    known = scores[~np.isnan(scores)]
    env = settings.get(ENVIRONMENT)
    if env:
        # A torchrun job of two learns from twice as many agents.
        processes = facts.get(PROCESSES, 1)
        settings["job.processes"] = processes if isinstance(processes, int) else 1
    total = facts.get("total_steps", settings.get("train.total_steps"))
    return RunSummary(
        name=folder.id,
        env=Path(str(env)).name if env else None,
        state=_state(events, taken=_is_trained(folder)),
        step=step,
        total_steps=total if isinstance(total, int) and abs(total) < LARGEST else None,
        score=last.get(SCORE),
        best=float(known.max()) if len(known) else None,
        evaluated=newest_evaluation(evaluations),
        seconds=seconds,
        began=lineages[-1].started
        if lineages and 0 <= lineages[-1].started < LAST_MOMENT
        else None,
        tags=tuple(tags),
        notes=tuple(note.text for note in notes),
        last=last,
        not_finite=not_finite,
        settings=settings,
        curve=blocks.mean.get(SCORE, np.empty(0, np.float32)),
    )


def _wanted(reader: StoreReader, metrics: Collection[str] | None) -> list[str] | None:
    """The names, as they are written in the store, of what is asked for in small letters; None for all."""
    if metrics is None:
        return None
    others = set(metrics).difference(SCORES)
    names = reader.metric_names() if others else []
    return [*SCORES, *(name for name in names if name.lower() in others)]


def _not_whole(names: Collection[str]) -> list[RunSummary]:
    """Folders that look like runs and lack the lock, without which nothing can be done with them."""
    root = runs_root()
    try:
        paths = sorted(root.iterdir())
    except OSError:
        return []
    return [
        RunSummary(path.name, trouble="Its file lock is missing.")
        for path in paths
        if path.name not in names
        and not path.name.startswith(".")
        and ((path / "run.db").is_file() or (path / "config.toml").is_file())
    ]


def _state(events: Sequence[Event], *, taken: bool) -> str:
    """What the run is doing, or how it ended."""
    told = Phase.STARTING
    for event in events:
        if event.kind == "stop":
            told = Phase.FINISHED if event.text == "finished" else Phase.INTERRUPTED
        told = EVENTS.get(event.kind, told)
    if told.ended:
        return (Phase.STARTING if taken else told).value
    return told.value if taken else DEAD


def _is_trained(folder: RunFolder) -> bool:
    holder = folder.holder()
    return holder is not None and bool(holder.training)
