from __future__ import annotations

import pytest

from pufftui.appearance.theme import load_themes
from pufftui.charts.metric_colours import COLOURS, colour_of
from pufftui.widgets.curves import ORDER


def test_figures_beside_each_other_differ() -> None:
    assert len({colour_of(name) for name in ORDER}) == 8
    parts = [colour_of(f"time_{part}") for part in ("env", "forward", "copy", "learn", "other")]
    assert len(set(parts)) == 5


@pytest.mark.parametrize("name", ["statistic_bricks", "loss/train", "", "ünïcode", *COLOURS])
def test_every_metric_has_a_colour_of_every_theme(name: str) -> None:
    for look in load_themes().values():
        assert colour_of(name) in look.colours


def test_what_a_program_logs_is_told_apart() -> None:
    assert len({colour_of(f"metric_{number}") for number in range(40)}) == 8
