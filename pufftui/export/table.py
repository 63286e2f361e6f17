"""Metrics and episodes as CSV, for pandas, numpy and spreadsheets."""

from __future__ import annotations

import csv
import math
from typing import TextIO

import numpy as np

from pufftui.export.metrics import kept_episodes, kept_metrics, metric_names
from pufftui.trainer.store import StoreReader

EPISODE_COLUMNS = ("step", "env_step", "agent", "length", "score", "episode_return")


def write_metrics(reader: StoreReader, file: TextIO, *, everything: bool) -> int:
    """One line per row of the store, its means; returns their number.

    Empty is what is not known. With `everything` abandoned lineages are in it, and a column
    `lineage` says which is which.
    """
    names, count = metric_names(reader), 0
    extra = ["lineage"] if everything else []
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["step", "seconds", "epoch", *extra, *names])
    for rows in kept_metrics(reader, everything=everything):
        columns = [map(str, rows.steps), map(_double, rows.seconds), map(str, rows.epochs)]
        columns += [map(str, rows.lineages)] if everything else []
        # A metric that a live run began while this is written has no column.
        columns += [map(_single, rows.values[name]) for name in names]
        writer.writerows(zip(*columns, strict=True))
        count += len(rows.steps)
    return count


def write_episodes(
    reader: StoreReader, file: TextIO, statistics: tuple[str, ...], *, everything: bool
) -> int:
    """One line per sampled episode, with the statistics of its environment; their number.

    `step` is where training was, `env_step` the step of the environments in which it ended.
    """
    count = 0
    extra = ["lineage"] if everything else []
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*EPISODE_COLUMNS, *extra, *statistics])
    for rows in kept_episodes(reader, everything=everything):
        episodes = rows.episodes
        columns = [
            *(map(str, rows.steps), map(str, episodes["step"]), map(str, episodes["agent"])),
            *(map(str, episodes["length"]), map(_single, episodes["score"])),
            map(_single, episodes["episode_return"]),
        ]
        columns += [map(str, rows.lineages)] if everything else []
        columns += [map(_single, episodes["statistics"][:, k]) for k in range(len(statistics))]
        writer.writerows(zip(*columns, strict=True))
        count += len(rows.steps)
    return count


def _single(value: float) -> str:
    """A float32 in as many digits as give the same one back; a number that is none, such as a counter, too."""
    if math.isnan(value):
        return ""
    with np.errstate(over="ignore"):
        return f"{value:.9g}" if np.float32(value) == value else f"{value:.17g}"


def _double(value: float) -> str:
    return f"{value:.17g}"
