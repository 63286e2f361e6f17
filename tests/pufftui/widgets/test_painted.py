"""What all panels have in common."""

from dataclasses import replace

import pytest

from pufftui.appearance.glyphs import ASCII
from pufftui.appearance.line import Line
from pufftui.appearance.theme import load_themes
from pufftui.widgets.painted import Card, that_fits

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
    plain = DETAIL.replace("·", "-")
    assert that_fits(plain, room, " - ") == shown.replace("·", "-")


@pytest.mark.parametrize(("theme", "shown"), [("midnight", " · "), ("ascii", " - ")])
def test_so_does_every_panel_in_every_theme(theme: str, shown: str) -> None:
    class Detailed(Card):
        title = "arena"

        def detail(self) -> str:
            return DETAIL

        def content(self, width: int, height: int) -> list[Line]:
            return []

    look = load_themes()["midnight"]
    if theme == "ascii":
        look = replace(look, glyphs=ASCII)
    card = Detailed(look, "detailed")
    text = "".join(part for part, _ in card.head(48)[-1])
    assert text.endswith(f"agent 1 of 128{shown}backspace: world")
