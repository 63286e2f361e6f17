"""What stands in for letters that a terminal lacks: same width, only ASCII, and still a picture."""

from __future__ import annotations

import pytest
from fakes import fake_app, fake_session, screen_text, settle
from hypothesis import given
from hypothesis import strategies as st

from pufftui.appearance.format import figure
from pufftui.appearance.glyphs import (
    ASCII,
    BLOCKS,
    BRAILLE,
    FULL,
    STROKES,
    fitting,
    large,
    levels,
    thin_bar,
)


@given(st.text())
def test_ascii_is_ascii_and_as_long(text: str) -> None:
    plain = ASCII(text)
    assert plain.isascii()
    assert len(plain) == len(text)
    assert ASCII(plain) == plain
    assert FULL(text) is text


def test_accents_go_and_the_letters_stay() -> None:
    assert ASCII("Ångström, naïve, façade") == "Angstrom, naive, facade"
    assert ASCII("日本") == "??"


def test_bars_are_hashes_and_dashes() -> None:
    assert ASCII("".join(thin_bar(0.5, 8))) == "####----"
    bars = ASCII(levels([0, 0.3, 0.6, 1]))
    assert len(set(bars)) == 4


@pytest.mark.parametrize(
    ("curve", "plain"),
    [
        ("⣀⣀", "__"),
        ("⠉⠉", '""'),
        ("⠒⠒", "--"),
        ("⡠⠊", "//"),
        ("⠑⢄", "\\\\"),
        ("⡇⢸", "||"),
        ("⠀", " "),
    ],
)
def test_curves_keep_their_direction(curve: str, plain: str) -> None:
    assert ASCII(curve) == plain


def test_blocks_keep_what_is_lit_and_where() -> None:
    assert BLOCKS("⣿⠛⣤⡇⢸⠀⠁⢀⠉⣀") == "█▀▄██ ▀▄▀▄"
    for pattern in range(1, 256):
        assert BLOCKS(chr(BRAILLE + pattern)) != " ", hex(pattern)
    assert BLOCKS("score ▲ 41 %") == "score ▲ 41 %"


def test_large_figures_have_three_rows_in_either_way() -> None:
    for glyphs in (FULL, ASCII):
        for text in ("831", "0.925", "12.6k", "-∞", "–", "3e-5", ""):
            rows = glyphs.large(text)
            assert len(rows) == 3
            assert len({len(row) for row in rows}) == 1
    assert FULL.large("831") == large("831")
    assert "".join(ASCII.large("0123456789.k")).isascii()
    shapes = [STROKES[digit] for digit in "0123456789"]
    assert len(set(shapes)) == 10


def test_a_large_figure_that_is_not_known_is_a_word_and_no_bar() -> None:
    for glyphs in (FULL, BLOCKS, ASCII):
        assert glyphs.large(figure(None)) == [" " * 8, "none yet", " " * 8]


@pytest.mark.parametrize(
    ("environment", "ascii_only"),
    [
        ({}, False),
        ({"TERM": "xterm-256color", "LANG": "de_DE.UTF-8"}, False),
        ({"TERM": "xterm-256color", "LANG": "en_US.utf8"}, False),
        ({"LC_CTYPE": "UTF-8"}, False),
        ({"TERM": "linux", "LANG": "C.UTF-8"}, True),
        ({"TERM": "vt100"}, True),
        ({"LANG": "de_DE.ISO-8859-1"}, True),
        ({"LC_ALL": "C", "LANG": "en_US.UTF-8"}, True),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, True),
        ({"LC_ALL": "", "LANG": "C.UTF-8"}, False),
    ],
)
def test_what_fits_follows_the_terminal_and_the_locale(environment, ascii_only) -> None:
    assert fitting(environment).ascii_only is ascii_only


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_every_screen_can_do_without_other_letters(tmp_path, size) -> None:
    session = fake_session(tmp_path / "breakout-brisk-otter", env="breakout")
    app = fake_app(session, gpus=2, ascii_only=True)
    async with app.run_test(size=size) as pilot:
        for key in ("0", "1", "2", "3", "4", "5", "0", "s", "s", "m", "escape"):
            await pilot.press(key)
            await settle(app, pilot)
            await settle(app, pilot)
            text = screen_text(app)
            assert text.isascii(), {letter for letter in text if not letter.isascii()}
            assert {len(line) for line in text.splitlines()} == {size[0]}
        for key in ("question_mark", "q", "a", "n", "ctrl+p"):
            await pilot.press(key)
            await pilot.pause(0.05)
            assert app.screen is not app.main, key
            text = screen_text(app)
            assert text.isascii(), (key, {letter for letter in text if not letter.isascii()})
            await pilot.press("escape")
            await pilot.pause()


async def test_the_game_is_painted_in_grounds_alone(tmp_path) -> None:
    session = fake_session(tmp_path / "breakout-brisk-otter", env="breakout")
    app = fake_app(session, ascii_only=True)
    async with app.run_test(size=(120, 40)) as pilot:
        for _ in range(4):
            await settle(app, pilot, 0.3)
        game = app.main.game
        region, pixels = game.picture, session.arena.latest.pixels
        assert pixels.shape[:2] == (region.height * 2, region.width)
        for row in range(region.height):
            strip = game.render_lines(game.size.region)[region.y + row]
            assert not strip.text.strip(" ")
            colours = [s.style.bgcolor.triplet for s in strip for _ in s.text]
            shown = colours[region.x : region.x + region.width]
            mean = pixels[2 * row : 2 * row + 2].mean(axis=0).astype("uint8")
            assert [tuple(c) for c in shown] == [tuple(int(v) for v in c) for c in mean]
