"""Real runs made without training: a folder, settings, and a store that was written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.settings.fields import Config, RunConfig, TrainConfig
from pufftui.trainer.settings.sources import config_to_toml
from pufftui.trainer.store import StoreWriter, add_note, tag


def make_run(
    name: str,
    *,
    env: str = "squared",
    seed: int = 0,
    scores: Sequence[float] = (0.5,),
    metrics: Mapping[str, Sequence[float]] | None = None,
    tags: Sequence[str] = (),
    note: str = "",
    events: Sequence[str] = ("start", "stop finished"),
    locked: bool = False,
    **train: float,
) -> RunFolder:
    """A run with a row every 1000 steps and every second; `events` are kinds, and texts of some."""
    folder = RunFolder.create(name, env)
    config = Config(env, {}, replace(TrainConfig(), **train), run=RunConfig(name=name, seed=seed))
    folder.config_file.write_text(config_to_toml(config), encoding="utf-8")
    store = StoreWriter(folder.database)
    for row, score in enumerate(scores, 1):
        others = {name: values[row - 1] for name, values in (metrics or {}).items()}
        values = {"score": score, **others}
        known = {name: value for name, value in values.items() if not math.isnan(value)}
        store.metrics(1000 * row, float(row), row, known)
    for event in events:
        kind, _, text = event.partition(" ")
        store.event(1000 * len(scores), float(len(scores)), kind, text)
    store.close()
    if tags:
        tag(folder.database, *tags)
    if note:
        add_note(folder.database, 1000, note)
    if not locked:
        folder.release()
    return folder
