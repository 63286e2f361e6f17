from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pufftui.layout.cockpit import LEAST_HEIGHT, LEAST_WIDTH, SOLO, arrange, picture_area

ALL = {"score", "speed", "learning", "game", "policy", "machine", "time", "log"}


@settings(max_examples=400)
@given(
    st.integers(1, 400),
    st.integers(1, 150),
    st.floats(0.3, 4),
    st.sampled_from([0, *SOLO]),
    st.integers(0, 8),
)
def test_panels_never_overlap_and_never_leave_the_screen(width, height, aspect, solo, gpus) -> None:
    regions = arrange(width, height, aspect, solo, gpus).regions
    for region in regions.values():
        assert region.width > 0
        assert region.height > 0
        assert 0 <= region.x <= region.right <= width
        assert 0 <= region.y <= region.bottom <= height
    for one, other in combinations(regions.values(), 2):
        assert not one.overlaps(other)


@pytest.mark.parametrize("aspect", [0.5, 1, 576 / 330, 2])
@pytest.mark.parametrize(
    ("width", "height"), [(100, 30), (120, 40), (160, 45), (200, 60), (250, 70)]
)
def test_roomy_screens_show_everything_and_the_game_largest(width, height, aspect) -> None:
    regions = arrange(width, height, aspect).regions
    assert regions.keys() == ALL | {"header", "footer"}
    areas = {name: region.area for name, region in regions.items()}
    assert max(areas, key=areas.__getitem__) == "game"
    assert picture_area(regions["game"], aspect) > 0
    body = sum(areas[name] for name in ALL)
    assert body > 0.97 * width * (height - 2) - 3 * height


def test_a_small_screen_shows_one_panel_and_a_status_line() -> None:
    plan = arrange(80, 24, 1.75)
    assert plan.regions.keys() == {"header", "footer", "status", "game"}
    assert not plan.roomy
    for number, names in SOLO.items():
        shown = arrange(80, 24, 1.75, number).regions.keys()
        assert shown == {"header", "footer", "status", *names}


def test_a_tiny_screen_says_so() -> None:
    for width, height in ((LEAST_WIDTH - 1, 50), (200, LEAST_HEIGHT - 1)):
        assert arrange(width, height, 1).regions.keys() == {"too_small"}
    assert "too_small" not in arrange(LEAST_WIDTH, LEAST_HEIGHT, 1).regions
