"""What is written for a picture, read back by a terminal of our own that knows just that."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pufftui.terminal.encoder import changes

Pixels = NDArray[np.uint8]
COLUMN, ROW = 7, 3
TOKEN = re.compile(r"\x1b\[(\d+);(\d+)H|\x1b\[(\d*)C|\x1b\[([\d;]+)m|([ ▀▄█])")


def show(screen: Pixels, text: str) -> int:
    """Changes the pixels as a terminal would; how many cells were written."""
    front = back = None
    x = y = at = cells = 0
    while at < len(text):
        token = TOKEN.match(text, at)
        assert token is not None, text[at : at + 30]
        at = token.end()
        line, column, ahead, colours, letter = token.groups()
        if line is not None:
            x, y = int(column) - 1 - COLUMN, int(line) - 1 - ROW
        elif ahead is not None:
            x += int(ahead or 1)
        elif colours == "0":
            front = back = None
        elif colours is not None:
            numbers = [int(number) for number in colours.split(";")]
            while numbers:
                which, true_colour, *numbers = numbers
                assert true_colour == 2
                if which == 38:
                    front, numbers = numbers[:3], numbers[3:]
                else:
                    assert which == 48
                    back, numbers = numbers[:3], numbers[3:]
        else:
            screen[2 * y, x] = front if letter in "▀█" else back
            screen[2 * y + 1, x] = front if letter in "▄█" else back
            x, cells = x + 1, cells + 1
    assert front is back is None or not text
    return cells


def allowed(pixels: Pixels) -> NDArray[np.int64]:
    """By how much each channel of each pixel may be wrong, after the steps to its neighbours."""
    wide = np.pad(pixels.astype(int), ((1, 1), (1, 1), (0, 0)), mode="edge")
    inner = wide[1:-1, 1:-1]
    others = [wide[:-2, 1:-1], wide[2:, 1:-1], wide[1:-1, :-2], wide[1:-1, 2:]]
    steps: NDArray[np.int64] = np.max([np.abs(inner - other) for other in others], axis=0)
    return np.where(steps < 2, 3, np.minimum((steps - 1) // 2, 3 + steps // 5))


def is_near(screen: Pixels, pixels: Pixels) -> bool:
    """Whether nobody can tell the screen from the picture."""
    return bool((np.abs(screen.astype(int) - pixels) <= allowed(pixels)).all())


def picture(data: st.DataObject, width: int, rows: int, colours: int) -> Pixels:
    """A picture of few colours, so that neighbours are often alike."""
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    palette = random.integers(0, 256, (colours, 3), np.uint8)
    return palette[random.integers(0, colours, (2 * rows, width))]


def shading(random: np.random.Generator, width: int, rows: int) -> Pixels:
    """A picture of slow shades and a little noise, somewhere between dark and light."""
    y, x = np.mgrid[: 2 * rows, :width]
    ramp = random.uniform(-6, 6) * x + random.uniform(-6, 6) * y + random.uniform(0, 255)
    channels = ramp[..., None] * random.uniform(0.5, 1, 3) + random.integers(-3, 4, (*y.shape, 3))
    return np.clip(channels, 0, 255).astype(np.uint8)


def after(before: Pixels, random: np.random.Generator) -> Pixels:
    """What may come next: everything a little lighter, moved, partly other, or all new."""
    frame = before.copy()
    height, width, _ = frame.shape
    match random.integers(0, 4):
        case 0:
            frame = np.clip(frame.astype(int) + random.integers(-2, 3), 0, 255).astype(np.uint8)
        case 1:
            frame = np.roll(frame, random.integers(-2, 3, 2), axis=(0, 1))
        case 2:
            for _ in range(random.integers(1, 6)):
                place = random.integers(0, height), random.integers(0, width)
                frame[place] = random.integers(0, 256, 3)
        case _:
            frame = shading(random, width, height // 2)
    return frame


@settings(max_examples=300)
@given(st.data(), st.integers(1, 30), st.integers(1, 8), st.integers(1, 4), st.integers(1, 12))
def test_the_terminal_is_always_near_the_true_picture(
    data: st.DataObject, width: int, rows: int, colours: int, frames: int
) -> None:
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    frame = data.draw(
        st.sampled_from([picture(data, width, rows, colours), shading(random, width, rows)])
    )
    screen, shown = np.zeros_like(frame), None
    for turn in range(frames):
        text, shown = changes(shown, frame, COLUMN, ROW, turn)
        show(screen, text)
        assert (screen == shown).all()
        assert is_near(screen, frame)
        assert changes(shown, frame, COLUMN, ROW, turn)[0] == ""
        last, frame = frame, after(frame, random)

    # What stands still is shown exactly, and nothing that has passed leaves a trace.
    for turn in range(frames, frames + 20):
        text, shown = changes(shown, last, COLUMN, ROW, turn)
        show(screen, text)
    assert (screen == last).all()


@settings(max_examples=300)
@given(st.data(), st.integers(1, 30), st.integers(1, 8), st.integers(1, 4))
def test_few_colours_are_shown_as_they_are(
    data: st.DataObject, width: int, rows: int, colours: int
) -> None:
    """Colours far apart never mix, however close they lie."""
    palette = np.array([[0, 0, 0], [255, 255, 255], [0, 128, 255], [128, 255, 0]], np.uint8)
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    shown = None
    for _ in range(3):
        frame = palette[random.integers(0, colours, (2 * rows, width))]
        _, shown = changes(shown, frame, COLUMN, ROW, 0)
        assert (shown == frame).all()


def test_cells_that_need_not_be_written_are_passed() -> None:
    before = np.full((2, 100, 3), 20, np.uint8)
    frame = before.copy()
    frame[0, 10] = frame[1, 90] = 200
    screen = before.copy()
    text, _ = changes(before, frame, COLUMN, ROW, 0)
    assert show(screen, text) == 2
    assert (screen == frame).all()


def test_two_colours_in_turn_are_named_once() -> None:
    frame = np.zeros((8, 40, 3), np.uint8)
    frame[::2, ::2] = frame[1::2, 1::2] = frame[:, 20:25] = 255
    text, shown = changes(None, frame, 0, 0, 0)
    assert text.count("255;255;255") == text.count("0;0;0") == 1
    assert (shown == frame).all()


def test_a_ramp_of_shades_has_no_bands() -> None:
    """Neighbours that differ by 2 steps or more never come to look alike, while it all grows lighter."""
    ramp = np.arange(20, 244, 4)[:, None, None] + np.zeros((1, 30, 3), int)
    shown = None
    for step in range(12):
        _, shown = changes(shown, (ramp + step).astype(np.uint8), 0, 0, step)
        assert (np.diff(shown.astype(int), axis=0) > 0).all()


def test_the_faintest_ground_of_a_game_is_not_lost() -> None:
    """The ground of snake, a board of two colours that are nearly one, as it moves."""
    y, x = np.mgrid[:40, :60]
    dark, light = np.array([15, 20, 28], np.uint8), np.array([19, 25, 35], np.uint8)
    shown = None
    for step in range(12):
        odd = ((x + step) // 4 + y // 4) % 2 == 1
        _, shown = changes(shown, np.where(odd[..., None], dark, light), 0, 0, step)
        faint = shown.astype(int).sum(axis=2)
        assert faint[odd].max() < faint[~odd].min()


def test_a_shade_that_changes_slowly_is_written_seldom() -> None:
    shown = None
    written = 0
    for step in range(60):
        text, shown = changes(shown, np.full((20, 50, 3), 100 + step // 2, np.uint8), 0, 0, step)
        written += len(text)
    assert written < 30 * 500 / 2  # 30 shades, and 500 letters are 10 rows of blanks


def test_nothing_is_written_for_the_same_picture() -> None:
    pixels = np.full((8, 5, 3), 77, np.uint8)
    assert changes(pixels, pixels.copy(), 0, 0, 0)[0] == ""


def test_another_size_is_written_anew() -> None:
    before, frame = np.zeros((4, 6, 3), np.uint8), np.zeros((6, 4, 3), np.uint8)
    text, _ = changes(before, frame, COLUMN, ROW, 0)
    assert text == changes(None, frame, COLUMN, ROW, 0)[0] != ""


def test_a_colour_is_named_once() -> None:
    text, _ = changes(None, np.full((4, 50, 3), 9, np.uint8), 0, 0, 0)
    assert text.count("48;2;9;9;9") == 1
    assert "38;2" not in text


def test_the_most_colourful_picture_finds_room() -> None:
    random = np.random.default_rng(1)
    pixels = random.integers(100, 256, (400, 300, 3), np.uint8)
    screen = np.zeros_like(pixels)
    show(screen, changes(None, pixels, COLUMN, ROW, 0)[0])
    assert is_near(screen, pixels)


def test_a_picture_that_is_not_contiguous() -> None:
    wide = np.random.default_rng(2).integers(0, 256, (6, 20, 3), np.uint8)
    pixels, screen = wide[:, 3:11], np.zeros((6, 8, 3), np.uint8)
    show(screen, changes(None, pixels, COLUMN, ROW, 0)[0])
    assert is_near(screen, pixels)
