"""Words in letters of pixels, as large as they fit: for an audience that sits far away."""

from __future__ import annotations

from pufftui.appearance.glyphs import SHAPES, Glyphs, halves

PIXELS_HIGH = 6

# Six pixels high, as the figures are; a space is dark.
LETTERS = {
    " ": "  |  |  |  |  |  ",
    "A": " ## |#  #|#  #|####|#  #|#  #",
    "B": "### |#  #|### |#  #|#  #|### ",
    "C": " ###|#   |#   |#   |#   | ###",
    "D": "### |#  #|#  #|#  #|#  #|### ",
    "E": "####|#   |### |#   |#   |####",
    "F": "####|#   |### |#   |#   |#   ",
    "G": " ###|#   |# ##|#  #|#  #| ###",
    "H": "#  #|#  #|####|#  #|#  #|#  #",
    "I": "###| # | # | # | # |###",
    "J": "  ##|   #|   #|   #|#  #| ## ",
    "K": "#  #|# # |##  |# # |#  #|#  #",
    "L": "#   |#   |#   |#   |#   |####",
    "M": "#   #|## ##|# # #|#   #|#   #|#   #",
    "N": "#   #|##  #|# # #|#  ##|#   #|#   #",
    "O": " ## |#  #|#  #|#  #|#  #| ## ",
    "P": "### |#  #|#  #|### |#   |#   ",
    "Q": " ## |#  #|#  #|#  #|# ##| ###",
    "R": "### |#  #|#  #|### |# # |#  #",
    "S": " ###|#   | ## |   #|   #|### ",
    "T": "#####|  #  |  #  |  #  |  #  |  #  ",
    "U": "#  #|#  #|#  #|#  #|#  #| ## ",
    "V": "#   #|#   #|#   #| # # | # # |  #  ",
    "W": "#   #|#   #|#   #|# # #|## ##|#   #",
    "X": "#   #| # # |  #  |  #  | # # |#   #",
    "Y": "#   #| # # |  #  |  #  |  #  |  #  ",
    "Z": "####|   #|  # | #  |#   |####",
    "!": "#|#|#|#| |#",
    ",": "  |  |  |  | #|# ",
    ":": " |#| | |#| ",
    "'": "#|#| | | | ",
    "/": "   #|   #|  # | #  |#   |#   ",
    "%": "#   #|   # |  #  |  #  | #   |#   #",
    "+": "   |   | # |###| # |   ",
    "(": " #|# |# |# |# | #",
    ")": "# | #| #| #| #|# ",
}


def banner(text: str, width: int, height: int, glyphs: Glyphs, largest: int = 4) -> list[str]:
    """The text as large as it fits, as lines of equal length; nothing if it does not fit at all.

    Letters are capitals, but for those that figures end with; they may be twice as high as usual.
    Where there are no half blocks, a pixel is a cell.
    """
    pixels = _pixels(text)
    most = min(width // max(len(pixels[0]), 1), largest)
    cells = 1 if glyphs.ascii_only else 2
    tall = min(height * cells // PIXELS_HIGH, most * 2 // (3 - cells))
    if most < 1 or tall < 1:
        return []
    wide = min(most, tall)
    large = [_wider(row, wide) for row in pixels for _ in range(tall)]
    return large if glyphs.ascii_only else halves(large)


def _pixels(text: str) -> list[str]:
    """Six rows of pixels; what there is no letter for is left out, accents are."""
    shapes = [
        shape.split("|")
        for shape in (SHAPES.get(letter) or LETTERS.get(letter.upper()) for letter in text)
        if shape
    ]
    return [" ".join(shape[row] for shape in shapes) for row in range(PIXELS_HIGH)]


def _wider(row: str, scale: int) -> str:
    return "".join(pixel * scale for pixel in row)
