"""What all panels have in common."""

import pytest

from pufftui.widgets.painted import that_fits

DETAIL = "agent 1 of 128 · backspace: world · policy of step 393k · 1x"


@pytest.mark.parametrize(
    ("room", "shown"),
    [
        (len(DETAIL), DETAIL),
        (len(DETAIL) - 1, "agent 1 of 128 · backspace: world · policy of step 393k"),
        (40, "agent 1 of 128 · backspace: world"),
        (20, "agent 1 of 128"),
        (9, "agent 1 o"),
        (0, ""),
    ],
)
def test_a_detail_loses_whole_parts_from_its_end(room: int, shown: str) -> None:
    assert that_fits(DETAIL, room) == shown
