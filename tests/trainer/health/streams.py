"""Streams of metrics for the detectors: written down, or noisy as real ones are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from pufftui.trainer.health import Change, Facts, HealthSuite, Level, Moment, Reading

STEPS_A_SECOND = 10_000
FACTS = Facts(
    total_steps=10_000_000,
    score_low=0.0,
    score_high=100.0,
    most_entropy=1.0,
    minibatch=4096,
    gamma=0.99,
    max_gradient_norm=1.5,
)
"""A run of a thousand seconds."""


def rows(first: float = 0.0, every: float = 1.0, **columns: Sequence[float]) -> list[Moment]:
    """A row per value, `every` seconds apart; None leaves a metric out of a row."""
    count = max(map(len, columns.values()))
    made = []
    for row in range(count):
        seconds = first + every * row
        values = {
            name: float(column[row])
            for name, column in columns.items()
            if row < len(column) and column[row] is not None
        }
        made.append(Moment(int(seconds * STEPS_A_SECOND), seconds, values))
    return made


def noisy(level: Sequence[float], deviation: float, together: float, seed: int = 0) -> np.ndarray:
    """Levels with noise that hangs together from row to row (an AR(1) process)."""
    random = np.random.default_rng(seed)
    noise = np.zeros(len(level))
    fresh = random.normal(0, deviation * np.sqrt(1 - together**2), len(level))
    for row in range(1, len(level)):
        noise[row] = together * noise[row - 1] + fresh[row]
    return np.asarray(level, float) + noise


def rise(count: int = 100, top: float = 80.0) -> list[float]:
    """A score that is learned."""
    return [top * (1 - np.exp(-5 * row / count)) for row in range(count)]


def told(
    moments: Iterable[Moment | Reading], facts: Facts = FACTS, least: Level = Level.WARNING
) -> list[str]:
    """The rules that call, in the order in which they do."""
    return [c.finding.rule.id for c in changes(moments, facts) if c.finding.level >= least]


def changes(moments: Iterable[Moment | Reading], facts: Facts = FACTS) -> list[Change]:
    """All findings that open or grow worse."""
    suite, found = HealthSuite(facts), []
    for at in moments:
        new = suite.see(at) if isinstance(at, Moment) else suite.see_machine(at)
        found += [change for change in new if not change.over]
    return found
