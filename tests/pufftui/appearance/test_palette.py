"""Colours on terminals that have few of them."""

from __future__ import annotations

import re

import pytest

from pufftui.appearance.palette import contrast, grey, nearest_of_16, nearest_of_256, quantiser
from pufftui.appearance.theme import SERIES, load_themes

THEMES = load_themes()


def test_who_gets_what() -> None:
    assert quantiser("truecolor", no_color=False) is None
    assert quantiser("standard", no_color=False) is nearest_of_16
    assert quantiser("256", no_color=False) is nearest_of_256
    assert quantiser("truecolor", no_color=True) is grey


def test_colours_that_there_are_stay() -> None:
    for colour in ("#000000", "#ffffff", "#5f87af", "#121212", "#eeeeee", "#ff0000"):
        assert nearest_of_256(colour) == colour


def test_dark_greys_stay_greys_and_apart() -> None:
    assert nearest_of_256("#10151f") in ("#121212", "#1c1c1c")
    assert len({nearest_of_256(colour) for colour in ("#080b11", "#10151f", "#18202e")}) == 3


@pytest.mark.parametrize("limit", [nearest_of_256, grey])
@pytest.mark.parametrize("name", THEMES)
def test_themes_stay_readable(name: str, limit) -> None:
    theme = THEMES[name].limited(limit)
    colours = theme.colours
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in colours.values())
    for ground in ("surface", "raised"):
        assert contrast(colours["text"], colours[ground]) >= 7
        for word in ("dim", "policy", "human", "good", "warning", "error"):
            assert contrast(colours[word], colours[ground]) >= 3.9, (ground, word)
    mixed = colours[theme.mix("policy", "surface", 0.5)]
    assert limit(mixed) == mixed
    assert colours["surface"] != colours["background"] or not theme.dark


def test_nothing_changes_where_all_colours_are_there() -> None:
    assert THEMES["midnight"].limited(None) is THEMES["midnight"]


@pytest.mark.parametrize("name", THEMES)
def test_themes_of_sixteen_colours_stay_readable(name: str) -> None:
    theme = THEMES[name].limited(nearest_of_16)
    colours = theme.colours
    assert all(nearest_of_16(colour) == colour for colour in colours.values())
    for ground in ("surface", "raised"):
        assert contrast(colours["text"], colours[ground]) >= 7
        for word in ("dim", "policy", "human", "good", "warning", "error"):
            assert contrast(colours[word], colours[ground]) >= 3, (ground, word)
    for curve in (f"series{number}" for number in range(SERIES)):
        assert contrast(colours[curve], colours["surface"]) >= 3, curve
    assert contrast(colours["background"], colours["human"]) >= 3
    assert contrast(colours["text"], colours["background"]) >= 7
    assert colours["text"] != colours["dim"]
    for seen in ("track", "faint", "band"):
        assert colours[seen] != colours["surface"]
    # A tint so faint that it lies between two of the colours would come and go from cell to cell.
    assert theme.mix("policy", "surface", 0.16) == "surface"
    assert colours[theme.mix("policy", "surface", 0.45)] != colours["surface"]
