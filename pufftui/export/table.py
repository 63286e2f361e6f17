"""Metrics and episodes as CSV, for pandas, numpy and spreadsheets."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from typing import TextIO

import numpy as np

from pufftui.export.metrics import kept_episodes, kept_metrics, metric_names
from pufftui.trainer.store import StoreReader

FORMULA = tuple("=+-@\t\r")
"""A cell that begins so is a formula to a spreadsheet, and may call programs."""

EPISODE_COLUMNS = ("step", "env_step", "agent", "length", "score", "episode_return")


def write_metrics(reader: StoreReader, file: TextIO, *, everything: bool) -> int:
    """One line per row of the store, its means; returns their number.

    Empty is what is not known. With `everything` abandoned lineages are in it, and a column
    `lineage` says which is which.
    """
    names, count = metric_names(reader), 0
    extra = ["lineage"] if everything else []
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(titles(["step", "seconds", "epoch", *extra], names))
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
    writer.writerow(titles([*EPISODE_COLUMNS, *extra], statistics))
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


def titles(own: Sequence[str], names: Sequence[str]) -> list[str]:
    """The first line: our own columns, then a column for each name, all different and none a formula.

    A name that would be a formula gets a `'` in front, one that is taken `metric/`, as often as it takes.
    """
    taken = dict.fromkeys(own)
    for name in names:
        title = f"'{name}" if name.startswith(FORMULA) else name
        while title in taken:
            title = f"metric/{title}"
        taken[title] = None
    return list(taken)


def _single(value: float) -> str:
    """A float32 in as many digits as give the same one back; a number that is none, such as a counter, too."""
    if math.isnan(value):
        return ""
    with np.errstate(over="ignore"):
        return f"{value:.9g}" if np.float32(value) == value else f"{value:.17g}"


def _double(value: float) -> str:
    return f"{value:.17g}"
