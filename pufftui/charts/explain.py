"""What the figures of a run are called and what they mean, from explanations.toml."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

STATISTIC = "statistic_"
"""Begins the names of metrics that an environment declares itself."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One metric: what it is called, what it means, what is healthy and whence that is known."""

    label: str
    short: str
    means: str
    healthy: str = ""
    source: str = ""
    advice: str = ""
    episodes: bool = False
    """Whether it is a figure of finished episodes, so that its newest stretch is biased."""


def explain(metric: str, meanings: Mapping[str, str] | None = None) -> Explanation:
    """What is known of a metric; of one that nobody has explained, its name.

    `meanings` is what the run's environment says of its own statistics, by their names.
    """
    known = _all().get(metric)
    if known is not None:
        return known
    words = metric.removeprefix(STATISTIC).replace("_", " ")
    if metric.startswith(STATISTIC):
        said = (meanings or {}).get(metric.removeprefix(STATISTIC), "")
        mean = "The mean over the last 1000 episodes."
        means = f"{said} {mean}" if said else f"A statistic of the environment. {mean}"
        source = "the environment itself" if said else "the environment's README says more"
        return Explanation(words, words, means, source=source, episodes=True)
    return Explanation(words, words, "A figure that the program logs; only it knows what it means.")


def label(metric: str) -> str:
    """A metric in words."""
    return explain(metric).label


def short(metric: str) -> str:
    """A metric in words for narrow places."""
    return explain(metric).short


@functools.cache
def _all() -> dict[str, Explanation]:
    text = Path(__file__).with_name("explanations.toml").read_text(encoding="utf-8")
    return {
        name: Explanation(
            label=table["label"],
            short=table.get("short", table["label"]),
            means=table["means"],
            healthy=table["healthy"],
            source=table["source"],
            advice=table["try"],
            episodes=table.get("episodes", False),
        )
        for name, table in tomllib.loads(text).items()
    }
