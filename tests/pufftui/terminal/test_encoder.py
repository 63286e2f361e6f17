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
TOKEN = re.compile(r"\x1b\[(\d+);(\d+)H|\x1b\[([\d;]+)m|([ ▀])")


def show(screen: Pixels, text: str) -> int:
    """Changes the pixels as a terminal would; how many cells were written."""
    front = back = None
    x = y = at = cells = 0
    while at < len(text):
        token = TOKEN.match(text, at)
        assert token is not None, text[at : at + 30]
        at = token.end()
        line, column, colours, letter = token.groups()
        if line is not None:
            x, y = int(column) - 1 - COLUMN, int(line) - 1 - ROW
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
            screen[2 * y, x] = back if letter == " " else front
            screen[2 * y + 1, x] = back
            x, cells = x + 1, cells + 1
    assert front is back is None or not text
    return cells


def picture(data: st.DataObject, width: int, rows: int, colours: int) -> Pixels:
    """A picture of few colours, so that neighbours are often alike."""
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    palette = random.integers(0, 256, (colours, 3), np.uint8)
    return palette[random.integers(0, colours, (2 * rows, width))]


@settings(max_examples=300, deadline=None)
@given(st.data(), st.integers(1, 30), st.integers(1, 8), st.integers(1, 4))
def test_a_picture_turns_into_the_next(
    data: st.DataObject, width: int, rows: int, colours: int
) -> None:
    before = picture(data, width, rows, colours)
    after = before.copy()
    for _ in range(data.draw(st.integers(0, 5))):
        x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, 2 * rows - 1))
        after[y, x] = data.draw(st.sampled_from(before.reshape(-1, 3).tolist()))
    screen = np.zeros_like(before)
    assert show(screen, changes(None, before, COLUMN, ROW)) == width * rows
    assert (screen == before).all()
    written = show(screen, changes(before, after, COLUMN, ROW))
    assert (screen == after).all()

    # From the first to the last cell that changed in each row, and no cell more.
    cells = (before != after).any(axis=2).reshape(rows, 2, width).any(axis=1)
    spans = [np.flatnonzero(row) for row in cells if row.any()]
    assert written == sum(int(span[-1] - span[0]) + 1 for span in spans)


def test_nothing_is_written_for_the_same_picture() -> None:
    pixels = np.full((8, 5, 3), 77, np.uint8)
    assert changes(pixels, pixels.copy(), 0, 0) == ""


def test_another_size_is_written_anew() -> None:
    before, after = np.zeros((4, 6, 3), np.uint8), np.zeros((6, 4, 3), np.uint8)
    assert changes(before, after, COLUMN, ROW) == changes(None, after, COLUMN, ROW) != ""


def test_a_colour_is_named_once() -> None:
    text = changes(None, np.full((4, 50, 3), 9, np.uint8), 0, 0)
    assert text.count("48;2;9;9;9") == 1
    assert "38;2" not in text


def test_the_most_colourful_picture_finds_room() -> None:
    random = np.random.default_rng(1)
    pixels = random.integers(100, 256, (400, 300, 3), np.uint8)
    screen = np.zeros_like(pixels)
    show(screen, changes(None, pixels, COLUMN, ROW))
    assert (screen == pixels).all()


def test_a_picture_that_is_not_contiguous() -> None:
    wide = np.random.default_rng(2).integers(0, 256, (6, 20, 3), np.uint8)
    pixels, screen = wide[:, 3:11], np.zeros((6, 8, 3), np.uint8)
    show(screen, changes(None, pixels, COLUMN, ROW))
    assert (screen == pixels).all()
