"""A terminal's screen as a picture: blocks and dots as rectangles, all else in a font."""

from __future__ import annotations

import functools

import pyte
from PIL import Image, ImageDraw, ImageFont
from terminal import Cells

WIDTH, HEIGHT = 10, 20
"""Pixels of a cell; dots of a braille pattern and eighths of a cell come out even."""

INK, PAPER = "e4eaf4", "080b11"
"""Where the program names no colour."""

FONT, FONT_SIZE = "DejaVuSansMono{}.ttf", 16

RISING, LEFTWARD = "▁▂▃▄▅▆▇█", "▏▎▍▌▋▊▉█"
QUADRANTS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"
"""By the quarters that are lit: 1 upper left, 2 upper right, 4 lower left, 8 lower right."""

BRAILLE = 0x2800
DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
"""Column and row of each bit of a braille pattern."""

Box = tuple[int, int, int, int]
"""Left, upper, right and lower edge in pixels; the last two belong to it."""


def picture(cells: Cells) -> Image.Image:
    """What is on a screen."""
    size = len(cells[0]) * WIDTH, len(cells) * HEIGHT
    image = Image.new("RGB", size, f"#{PAPER}")
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(cells):
        for column, cell in enumerate(line):
            _draw_cell(draw, column * WIDTH, row * HEIGHT, cell)
    return image


@functools.cache
def font(size: int = FONT_SIZE, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """The font of all letters."""
    return ImageFont.truetype(FONT.format("-Bold" if bold else ""), size)


def _draw_cell(draw: ImageDraw.ImageDraw, x: int, y: int, cell: pyte.screens.Char) -> None:
    ink, paper = _colour(cell.fg, INK), _colour(cell.bg, PAPER)
    if cell.reverse:
        ink, paper = paper, ink
    draw.rectangle((x, y, x + WIDTH - 1, y + HEIGHT - 1), paper)
    letter = cell.data[:1]
    boxes = _boxes(letter)
    if boxes is None:
        draw.text((x, y), letter, ink, font(bold=cell.bold))
        return
    for left, upper, right, lower in boxes:
        draw.rectangle((x + left, y + upper, x + right, y + lower), ink)


def _colour(name: str, standard: str) -> str:
    return f"#{name if len(name) == 6 else standard}"


@functools.cache
def _boxes(letter: str) -> tuple[Box, ...] | None:
    """What a letter paints, if it is made of rectangles."""
    if not letter.strip():
        return ()
    if letter in RISING:
        eighths = RISING.index(letter) + 1
        return ((0, HEIGHT - HEIGHT * eighths // 8, WIDTH - 1, HEIGHT - 1),)
    if letter in LEFTWARD:
        return ((0, 0, WIDTH * (LEFTWARD.index(letter) + 1) // 8 - 1, HEIGHT - 1),)
    if letter in QUADRANTS:
        lit = QUADRANTS.index(letter)
        return tuple(
            _part(bit % 2, bit // 2, WIDTH // 2, HEIGHT // 2) for bit in range(4) if lit >> bit & 1
        )
    if BRAILLE <= ord(letter) < BRAILLE + 256:
        lit = ord(letter) - BRAILLE
        return tuple(_dot(*place) for bit, place in enumerate(DOTS) if lit >> bit & 1)
    return None


def _part(column: int, row: int, width: int, height: int) -> Box:
    left, upper = column * width, row * height
    return left, upper, left + width - 1, upper + height - 1


def _dot(column: int, row: int) -> Box:
    left, upper, right, lower = _part(column, row, WIDTH // 2, HEIGHT // 4)
    return left + 1, upper + 1, right - 1, lower - 1
