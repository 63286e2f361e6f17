"""How far a mean can be trusted: a bootstrap that draws whole worlds.

What varies by chance is the world: its beginning and all its random numbers. Agents that share one meet the same
food, weather and enemies, and the episodes that one copy plays one after the other may share a world that goes on;
so worlds are drawn, with everything that happened in them (a cluster bootstrap: Davison and Hinkley, "Bootstrap
Methods and their Application", 1997, section 3.8). Seeds are no clusters: each is the beginning of other random
numbers for the same policy, so worlds of one seed are no more alike than those of two. Nothing here tells how
another training of the same game would have come out.

The percentiles are those of Hesterberg's expanded interval ("What Teachers Should Know About the Bootstrap", 2015):
plain ones are too narrow for few worlds, by the same factor as a normal interval is beside Student's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
RESAMPLES = 4000

MOST_UNITS = 500
"""More worlds than that are put together, at random for that matter, before they are drawn: the mean of independent
sums varies as much, and is drawn sooner."""


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean and its 95 % interval; where one world alone was played there is none (NaN)."""

    mean: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """By its public names."""
        return {"mean": self.mean, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums of a figure in every world, (worlds,), and of how many values, (worlds,)."""

    sums: NDArray[np.float64]
    counts: NDArray[np.float64]

    @property
    def mean(self) -> float:
        """Over everything in all worlds; NaN without a value."""
        count = float(self.counts.sum())
        return float(self.sums.sum()) / count if count else math.nan

    def folded(self) -> Sums:
        """No more than `MOST_UNITS`."""
        if len(self.sums) <= MOST_UNITS:
            return self
        bins = np.arange(len(self.sums)) % MOST_UNITS
        return Sums(
            np.bincount(bins, self.sums, MOST_UNITS).astype(np.float64),
            np.bincount(bins, self.counts, MOST_UNITS).astype(np.float64),
        )

    def means(self, drawn: NDArray[np.intp]) -> NDArray[np.float64]:
        """The means of drawn worlds (resamples, worlds); NaN where those hold no value."""
        with np.errstate(invalid="ignore", divide="ignore"):
            means: NDArray[np.float64] = self.sums[drawn].sum(axis=1) / self.counts[drawn].sum(
                axis=1
            )
        return means


def mean_of_worlds(figure: Sums, against: Sums | None = None, seed: int = 0) -> Mean | None:
    """The mean over all worlds, or by how much it is above that of another player in the same worlds.

    Those are drawn in pairs: what is common to both, such as a hard beginning, is no difference. None if
    there is no value at all.
    """
    mean = figure.mean - (against.mean if against else 0.0)
    if not figure.counts.sum() or (against is not None and not against.counts.sum()):
        return None
    if len(figure.sums) < 2:
        return Mean(mean, math.nan, math.nan)
    figure, against = figure.folded(), against.folded() if against else None
    units = len(figure.sums)
    drawn = np.random.default_rng(seed).integers(units, size=(RESAMPLES, units))
    means = figure.means(drawn)
    if against is not None:
        means = means - against.means(drawn)
    tail = expanded_tail(units)
    low, high = np.nanquantile(means, [tail, 1 - tail]) if np.isfinite(mean) else (math.nan,) * 2
    return Mean(mean, float(low), float(high))


def expanded_tail(units: int) -> float:
    """The share that is left out at either end, for so many units, at least 2."""
    wider = math.sqrt(units / (units - 1)) * student(units - 1)
    return NormalDist().cdf(-wider)


def student(freedom: int) -> float:
    """The factor of a two-sided 95 % interval with so many degrees of freedom: 12.7, 4.30, ... 1.96.

    By the expansion of Abramowitz and Stegun (1964), 26.7.5, which is too small for fewer than three.
    """
    few = {1: 12.7062, 2: 4.3027, 3: 3.1824}
    if freedom in few:
        return few[freedom]
    z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / float(freedom**power) for power, term in enumerate(terms, 1))
