"""Several seeds as one curve: the interquartile mean and how far it can be trusted.

After Agarwal and others, "Deep Reinforcement Learning at the Edge of the Statistical Precipice"
(2021): the mean of the middle half of all scores, with a band from a stratified bootstrap that
draws whole runs. A stratum is a task; runs of one task are drawn for each other only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

TRIMMED = 0.25
"""Share of the scores that is left out at either end."""

CONFIDENCE = 0.95
RESAMPLES = 2000
FEW = 5
"""With fewer runs the band says little: too few different samples can be drawn."""

MOST_AT_ONCE = 4_000_000
"""Numbers that are held at a time while resampling."""


def interquartile_mean(values: Floats) -> NDArray[np.float64]:
    """The mean of the middle half of the first axis; of fewer than four values, of all.

    As in rliable, a quarter of the values, rounded down, is left out at either end. NaN if any
    value is.
    """
    count = len(values)
    out = int(TRIMMED * count)
    values = np.asarray(values, np.float64)
    if out == 0:
        whole: NDArray[np.float64] = values.mean(axis=0)
        return whole
    ordered = np.sort(values, axis=0)
    # Sorting moves NaN to the end, where it would be cut away.
    mean: NDArray[np.float64] = ordered[out : count - out].mean(axis=0)
    return np.where(np.isnan(ordered[-1]), np.nan, mean)


def confidence_band(
    strata: Sequence[Floats], resamples: int = RESAMPLES, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Percentile bootstrap of the interquartile mean of all rows together, as (low, high).

    Each stratum is (runs, points); whole rows are drawn with replacement, in each stratum as many
    as it has. None if no stratum has two rows: nothing then tells how runs differ.
    """
    if max((len(stratum) for stratum in strata), default=0) < 2:
        return None
    generator = np.random.default_rng(seed)
    draws = [generator.integers(len(rows), size=(resamples, len(rows))) for rows in strata]
    points = strata[0].shape[1]
    rows = sum(map(len, strata))
    part = max(1, MOST_AT_ONCE // max(1, resamples * rows))
    tails = 50 * (1 - CONFIDENCE)
    limits = np.empty((2, points))
    for start in range(0, points, part):
        piece = slice(start, start + part)
        drawn = np.concatenate(
            [stratum[:, piece][draw] for stratum, draw in zip(strata, draws, strict=True)], axis=1
        )
        means = interquartile_mean(drawn.swapaxes(0, 1))
        limits[:, piece] = np.percentile(means, [tails, 100 - tails], axis=0)
    return limits[0], limits[1]
