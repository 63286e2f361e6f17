"""The sheet of a game finds a place on every screen, and takes it from the game alone or from less."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.geometry import Region

from pufftui.layout.cockpit import SOLO, Arrangement, arrange, arrange_play
from pufftui.layout.sheet import LEAST, LEAST_GAME, MOST, with_sheet
from pufftui.layout.stream import arrange_stream

SIZES = st.integers(1, 400), st.integers(1, 150)


def plans(width: int, height: int) -> list[Arrangement]:
    """All arrangements with a sheet on a terminal of that size."""
    aspect = 1.6
    return [
        with_sheet(arrange_stream(width, height, aspect)),
        *(with_sheet(arrange(width, height, aspect, solo), solo) for solo in (0, *SOLO)),
        *(with_sheet(arrange_play(width, height, aspect, solo), solo) for solo in (0, 1, 2)),
    ]


@settings(max_examples=300)
@given(*SIZES)
def test_panels_never_overlap_and_never_leave_the_screen(width: int, height: int) -> None:
    screen = Region(0, 0, width, height)
    for plan in plans(width, height):
        for region in plan.regions.values():
            assert region.area > 0
            assert screen.contains_region(region)
        for one, other in combinations(plan.regions.values(), 2):
            assert not one.overlaps(other)


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 40), (200, 60), (250, 70)])
def test_who_plays_has_it_beside_a_game_that_stays_large(size: tuple[int, int]) -> None:
    width, height = size
    found = [
        with_sheet(arrange_play(width, height, 1.6)),
        with_sheet(arrange_play(width, height, 1.6, 1), 1),
        with_sheet(arrange(width, height, 1.6, 1), 1),
    ]
    if width >= 120:  # before an audience the figures are large, and nobody plays
        found.append(with_sheet(arrange_stream(width, height, 1.6)))
    for plan in found:
        game, sheet = plan.regions["game"], plan.regions["sheet"]
        assert LEAST <= sheet.width <= MOST
        assert game.width >= LEAST_GAME
        assert game.height >= 0.5 * height


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 40), (200, 60)])
def test_a_dashboard_has_it_too(size: tuple[int, int]) -> None:
    assert "sheet" in with_sheet(arrange(*size, 1.6)).regions


def test_other_panels_alone_are_left_alone() -> None:
    for solo in (2, 3, 4, 5, 6):
        assert with_sheet(arrange(200, 60, 1.6, solo), solo) == arrange(200, 60, 1.6, solo)
