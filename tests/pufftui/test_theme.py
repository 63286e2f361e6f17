from __future__ import annotations

from pathlib import Path

import pytest

import pufftui.themes
from pufftui.envs.errors import PuffError
from pufftui.theme import DEFAULT_THEME, SERIES, contrast, load_theme, load_themes

THEMES = load_themes()
FOLDER = Path(pufftui.themes.__path__[0])


def test_there_is_a_choice() -> None:
    assert len(THEMES) >= 3
    assert next(iter(THEMES)) == DEFAULT_THEME
    assert {theme.dark for theme in THEMES.values()} == {True, False}


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#123456", "#123456") == 1


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize("ground", ["surface", "raised"])
def test_words_are_readable(name: str, ground: str) -> None:
    colours = THEMES[name].colours
    assert contrast(colours["text"], colours[ground]) >= 7
    for colour in ("dim", "policy", "human", "good", "warning", "error"):
        assert contrast(colours[colour], colours[ground]) >= 4.5, colour


@pytest.mark.parametrize("name", THEMES)
def test_curves_and_bars_are_visible(name: str) -> None:
    colours = THEMES[name].colours
    for number in range(SERIES):
        assert contrast(colours[f"series{number}"], colours["surface"]) >= 3
    assert contrast(colours["policy"], colours["band"]) >= 3
    assert contrast(colours["policy"], colours["track"]) >= 3
    # The banner while a person plays, and the text of dialogs over the dimmed screen.
    assert contrast(colours["background"], colours["human"]) >= 4.5
    assert contrast(colours["text"], colours["background"]) >= 7


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("dark = true", "", "dark"),
        ('policy = "#5cc8ff"', "", "policy"),
        ('policy = "#5cc8ff"', 'policy = "blue"', "policy"),
        ('policy = "#5cc8ff"', 'policy = "#5cc8ff"\npolicee = "#000000"', "policee"),
        ('"#aeb9ca"]', '"#aeb9ca", "#000000"]', "series"),
        ('title = "Midnight"', "title =", "broken.toml"),
    ],
)
def test_a_broken_theme_is_named_with_its_key(
    tmp_path: Path, old: str, new: str, named: str
) -> None:
    text = (FOLDER / "midnight.toml").read_text()
    assert old in text
    file = tmp_path / "broken.toml"
    file.write_text(text.replace(old, new))
    with pytest.raises(PuffError) as caught:
        load_theme(file)
    assert "broken.toml" in str(caught.value)
    assert named in str(caught.value)
    assert caught.value.hint


def test_a_missing_theme_file_is_an_error_for_people(tmp_path: Path) -> None:
    with pytest.raises(PuffError, match=r"nowhere\.toml"):
        load_theme(tmp_path / "nowhere.toml")


def test_mixtures_lie_between() -> None:
    theme = THEMES[DEFAULT_THEME]
    assert theme.colours[theme.mix("policy", "surface", 1.0)] == theme.colours["policy"]
    assert theme.colours[theme.mix("policy", "surface", 0.0)] == theme.colours["surface"]
    assert theme.style("dim") is theme.style("dim")
