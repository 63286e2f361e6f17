"""Which colour each metric has: the same wherever it is drawn, and one for each family."""

from __future__ import annotations

import zlib

from pufftui.charts.explain import STATISTIC
from pufftui.trainer.messages.snapshot import LOSSES, TIME_PARTS

COUNT = 8
"""Colours of a theme's series."""

FAMILIES = {
    "policy": ("score", "perf", "episode_return", "episode_length"),
    "series1": ("reward_size", "reward_nonzero", "clamped_rewards", "broken_figures"),
    "series2": ("sps",),
    "series4": ("weight_norm", "dead_units", "feature_rank"),
    "series5": ("gradient_signal", "gradient_noise", "finite", "untrained"),
    "series6": ("observation_change", "actions_used", "episodes"),
}

COLOURS = (
    {name: f"series{place % COUNT}" for place, name in enumerate((*LOSSES, "learning_rate"))}
    | {f"time_{part}": f"series{place}" for place, part in enumerate(TIME_PARTS)}
    | {name: colour for colour, names in FAMILIES.items() for name in names}
)


def colour_of(metric: str) -> str:
    """The name of a metric's colour in a theme."""
    if metric.startswith(STATISTIC):
        return "series3"
    return COLOURS.get(metric) or f"series{zlib.crc32(metric.encode()) % COUNT}"
