"""The rows that leave: those of the run as it is now, or of all its lineages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from pufftui.trainer.store import EpisodeRows, Lineage, MetricRows, StoreReader, kept_steps

ROWS_AT_ONCE = 2000


class Kept:
    """Which rows belong to the line that leads to the newest state; all do if `everything`."""

    def __init__(self, lineages: list[Lineage], *, everything: bool) -> None:
        self._limits = None if everything else dict(kept_steps(lineages))

    def of(self, rows: MetricRows | EpisodeRows) -> np.ndarray:
        """Which of these rows, (rows,) of bool."""
        if self._limits is None:
            return np.ones(len(rows.steps), bool)
        limits = [self._limits.get(int(lineage), -1) for lineage in rows.lineages]
        return np.asarray(rows.steps <= np.array(limits, np.int64), bool)


def metric_names(reader: StoreReader) -> list[str]:
    """The names of all metrics so far, in the order of the store."""
    return reader.metric_names()


def kept_metrics(reader: StoreReader, *, everything: bool) -> Iterator[MetricRows]:
    """The metrics in parts of bounded size, in the order of writing."""
    kept, row = Kept(reader.lineages(), everything=everything), 0
    while len((rows := reader.metrics_after(row, ROWS_AT_ONCE)).steps):
        row, chosen = rows.last, kept.of(rows)
        yield replace(
            rows,
            steps=rows.steps[chosen],
            seconds=rows.seconds[chosen],
            epochs=rows.epochs[chosen],
            lineages=rows.lineages[chosen],
            values=rows.values.of_rows(chosen),
        )


def kept_episodes(reader: StoreReader, *, everything: bool) -> Iterator[EpisodeRows]:
    """The sampled episodes in parts of bounded size, in the order of writing."""
    kept, row = Kept(reader.lineages(), everything=everything), 0
    while len((rows := reader.episode_rows(row, ROWS_AT_ONCE)).steps):
        row, chosen = rows.last, kept.of(rows)
        yield replace(
            rows,
            steps=rows.steps[chosen],
            lineages=rows.lineages[chosen],
            episodes=rows.episodes[chosen],
        )
