from __future__ import annotations

from itertools import combinations, pairwise
from pathlib import Path

import pytest
from colour_vision import EYES, distance, lightness
from fakes import fake_app, fake_session, settle

import pufftui.themes
from pufftui.appearance.palette import contrast, nearest_of_16, nearest_of_256
from pufftui.appearance.theme import (
    DEFAULT_THEME,
    LEAST_CONTRAST,
    SERIES,
    PuffTheme,
    load_theme,
    load_themes,
)
from pufftui.envs.errors import PuffError

THEMES = load_themes()
FOLDER = Path(pufftui.themes.__path__[0])


def test_there_is_a_choice() -> None:
    assert len(THEMES) >= 6
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


WORDS = ("text", "dim", "policy", "human", "good", "warning", "error", "background")
SERIES_NAMES = tuple(f"series{number}" for number in range(SERIES))
PICTURES = ("track", "band")
"""What bars and curves lie on: their letters are pictures, for which less contrast is enough."""

DECORATION = {"surface": 1.05, "track": 1.15}
"""What may hardly be seen: edges of panels, the empty part of a bar; grid lines even less."""


async def painted_pairs(tmp_path: Path) -> set[tuple[str, str]]:
    """The names of all letters and grounds that the dashboard paints, in all of its states."""
    pairs: set[tuple[str, str]] = set()
    for size, env in (((120, 40), "breakout"), ((200, 60), "squared"), ((80, 24), "squared")):
        session = fake_session(tmp_path / f"{env}-{size[0]}", env=env)
        app = fake_app(session, gpus=2)
        async with app.run_test(size=size) as pilot:
            for key in ("0", "1", "2", "3", "4", "5", "0", "m", "escape", "p", "s", "v"):
                await settle(app, pilot)
                await settle(app, pilot)
                await pilot.press(key)
                names = {id(style): key[:2] for key, style in app.look._styles.items()}
                for panel in app.main.panels:
                    for strip in panel._strips if panel.is_on_screen else ():
                        used = [segment for segment in strip if segment.text.strip(" ")]
                        pairs |= {names[id(s.style)] for s in used if id(s.style) in names}
    return pairs


async def test_whatever_is_painted_can_be_seen(tmp_path: Path) -> None:
    pairs = await painted_pairs(tmp_path)
    assert {("dim", "surface"), ("policy", "raised"), ("background", "human")} <= pairs
    for theme in THEMES.values():
        for front, back in pairs:
            for name in (front, back):
                if "+" in name:
                    one, _, rest = name.partition("+")
                    other, _, share = rest.partition("*")
                    theme.mix(one, other, float(share))
            found = contrast(theme.colours[front], theme.colours[back])
            if front in WORDS and back not in PICTURES and "+" not in back:
                least = 4.5
            elif front in (*WORDS, *SERIES_NAMES):
                least = 3.0
            else:
                least = DECORATION.get(front, 1.3)
            assert found >= least or front == "faint", (theme.name, front, back, found)
    for theme in (theme.limited(nearest_of_16) for theme in THEMES.values()):
        for front, back in pairs:
            colours = [theme.colours[_named(theme, name)] for name in (front, back)]
            # Edges of panels, grid lines, and single points amid the band of their mean.
            decoration = front in ("faint", "surface") or ("+" in front and back.startswith("band"))
            assert colours[0] != colours[1] or decoration, (theme.name, front, back)


def _named(theme: PuffTheme, name: str) -> str:
    """The colour that a theme has for a name, which may be that of a mixture."""
    if "+" not in name:
        return name
    one, _, rest = name.partition("+")
    other, _, share = rest.partition("*")
    return theme.mix(one, other, float(share))


class TestColourBlindSafe:
    COLOURS = THEMES["okabe"].colours

    @pytest.mark.parametrize("eyes", EYES)
    def test_curves_can_be_told_apart(self, eyes: str) -> None:
        for one, other in combinations(SERIES_NAMES, 2):
            least = 7.5 if eyes != "no blue" else 6
            apart = distance(self.COLOURS[one], self.COLOURS[other], eyes)
            assert apart >= least, (one, other, apart)

    @pytest.mark.parametrize("eyes", EYES)
    def test_states_can_be_told_apart(self, eyes: str) -> None:
        for one, other in combinations(("policy", "human", "good", "warning", "error"), 2):
            apart = distance(self.COLOURS[one], self.COLOURS[other], eyes)
            assert apart >= (10 if eyes != "no blue" else 5), (one, other, apart)

    def test_no_two_are_of_the_same_lightness(self) -> None:
        levels = sorted(lightness(self.COLOURS[name]) for name in SERIES_NAMES)
        assert min(b - a for a, b in pairwise(levels)) >= 3.5

    def test_the_simulation_knows_what_is_hard_to_tell(self) -> None:
        red, green = "#c83030", "#6b7a1e"
        assert distance(red, green, "all cones") > 20
        assert distance(red, green, "no green") < 6
        assert distance("#ffffff", "#ffffff", "no red") == 0
        assert lightness("#ffffff") == pytest.approx(100)


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


@pytest.mark.parametrize("limit", [None, nearest_of_256])
def test_the_colours_of_games_are_readable_and_not_kept_without_end(limit) -> None:
    themes = load_themes()
    for theme in (themes["midnight"].limited(limit), themes["paper"].limited(limit)):
        names = {theme.own(colour * 997 % 0x1000000) for colour in range(100_000)}
        assert len(names) <= 32 * 32 * 32
        assert theme.own(0xFFFFFF) == theme.own(0xFEFEFE) != theme.own(0)
        surface = theme.colours["surface"]
        assert min(contrast(theme.colours[name], surface) for name in names) >= LEAST_CONTRAST
