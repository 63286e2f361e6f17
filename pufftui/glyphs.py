"""Large figures made of half blocks, three rows high, and bars drawn in eighths."""

from __future__ import annotations

from collections.abc import Iterable

# Six pixels high, two of which make a cell; a space is dark.
SHAPES = {
    "0": "####|#  #|#  #|#  #|#  #|####",
    "1": " ## |  # |  # |  # |  # | ###",
    "2": "####|   #|####|#   |#   |####",
    "3": "####|   #| ###|   #|   #|####",
    "4": "#  #|#  #|####|   #|   #|   #",
    "5": "####|#   |####|   #|   #|####",
    "6": "####|#   |####|#  #|#  #|####",
    "7": "####|   #|   #|  # |  # |  # ",
    "8": "####|#  #|####|#  #|#  #|####",
    "9": "####|#  #|####|   #|   #|####",
    ".": " | | | | |#",
    "-": "   |   |###|   |   |   ",
    "–": "    |    |####|    |    |    ",
    "e": "    |    |####|####|#   |####",
    "k": "#   |#   |#  #|# # |##  |#  #",
    "M": "#   #|## ##|# # #|#   #|#   #|#   #",
    "B": "### |#  #|### |#  #|#  #|### ",
    "T": "###| # | # | # | # | # ",
    "∞": "     |     |## ##|# # #|## ##|     ",
}
HALVES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
EIGHTHS = " ▏▎▍▌▋▊▉█"
RISING = " ▁▂▃▄▅▆▇█"


def large(text: str) -> list[str]:
    """The text in large figures: three lines of equal length. Unknown characters are left out."""
    shapes = [SHAPES[character].split("|") for character in text if character in SHAPES]
    pixels = [" ".join(shape[row] for shape in shapes) for row in range(6)]
    return [
        "".join(HALVES[a == "#", b == "#"] for a, b in zip(top, bottom, strict=True))
        for top, bottom in zip(pixels[::2], pixels[1::2], strict=True)
    ]


def thin_bar(share: float, width: int) -> tuple[str, str]:
    """A thin bar as its full and its empty part, together `width` cells; halves of a cell count."""
    halves = round(min(max(share, 0.0), 1.0) * width * 2)
    full = "━" * (halves // 2) + "╸" * (halves % 2)
    return full, "─" * (width - len(full))


def thick_bar(share: float, width: int) -> str:
    """A bar as high as the line, `width` cells with what is empty as spaces; eighths count."""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    bar = "█" * (eighths // 8) + (EIGHTHS[eighths % 8] if eighths % 8 else "")
    return bar.ljust(width)


def levels(shares: Iterable[float]) -> str:
    """Shares as bars that stand beside each other, one cell each; nothing at all is a low bar."""
    last = len(RISING) - 1
    return "".join(RISING[min(max(round(share * last), 1), last)] for share in shares)
