"""Large figures made of half blocks, bars drawn in eighths, and what to draw with where letters lack.

Everything is drawn in Unicode. A `Glyphs` puts other letters in the place of those that a terminal
lacks, one for one, at the few doors through which text reaches the screen.
"""

from __future__ import annotations

import math
import os
import unicodedata
from collections.abc import Iterable, Mapping

from pufftui.appearance.format import NOTHING

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
# The same in strokes, for terminals without half blocks.
STROKES = {
    "0": (" _ ", "| |", "|_|"),
    "1": ("   ", "  |", "  |"),
    "2": (" _ ", " _|", "|_ "),
    "3": (" _ ", " _|", " _|"),
    "4": ("   ", "|_|", "  |"),
    "5": (" _ ", "|_ ", " _|"),
    "6": (" _ ", "|_ ", "|_|"),
    "7": (" _ ", "  |", "  |"),
    "8": (" _ ", "|_|", "|_|"),
    "9": (" _ ", "|_|", " _|"),
    ".": (" ", " ", "."),
    "-": ("  ", "--", "  "),
    "e": (" _ ", "|_|", "|_ "),
    "k": ("   ", "|_/", "| \\"),
    "M": ("    ", "|\\/|", "|  |"),
    "B": (" _ ", "|_)", "|_)"),
    "T": ("___", " | ", " | "),
    "∞": ("   ", "o-o", "   "),
}
NONE_YET = "none yet"
"""Stands where a large figure will."""

HALVES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
EIGHTHS = " ▏▎▍▌▋▊▉█"
RISING = " ▁▂▃▄▅▆▇█"
BRAILLE = 0x2800
LEFT, RIGHT = (0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80)
"""The dots of a braille pattern, from the top to the bottom."""


def large(text: str) -> list[str]:
    """The text in large figures: three lines of equal length. Unknown characters are left out."""
    shapes = [SHAPES[character].split("|") for character in text if character in SHAPES]
    pixels = [" ".join(shape[row] for shape in shapes) for row in range(6)]
    return halves(pixels)


def halves(pixels: list[str]) -> list[str]:
    """Rows of pixels, a space dark and all else lit, two above each other in every cell."""
    return [
        "".join(HALVES[a != " ", b != " "] for a, b in zip(top, bottom, strict=True))
        for top, bottom in zip(pixels[::2], pixels[1::2], strict=True)
    ]


def thin_bar(share: float, width: int) -> tuple[str, str]:
    """A thin bar as its full and its empty part, together `width` cells; halves of a cell count."""
    lit = round(min(max(share, 0.0), 1.0) * width * 2)
    full = "━" * (lit // 2) + "╸" * (lit % 2)
    return full, "─" * (width - len(full))


def thick_bar(share: float, width: int) -> str:
    """A bar as high as the line, `width` cells with what is empty as spaces; eighths count."""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    bar = "█" * (eighths // 8) + (EIGHTHS[eighths % 8] if eighths % 8 else "")
    return bar.ljust(width)


def levels(shares: Iterable[float]) -> str:
    """Shares as bars that stand beside each other, one cell each; nothing at all is a low bar, NaN a gap."""
    last = len(RISING) - 1
    return "".join(
        " " if math.isnan(share) else RISING[min(max(round(share * last), 1), last)]
        for share in shares
    )


class Glyphs:
    """Puts letters in the place of others."""

    def __init__(self, letters: Mapping[int, str], *, ascii_only: bool = False) -> None:
        """`letters` by the code point that they replace; where `ascii_only`, all others go, too."""
        self._letters = letters
        self.ascii_only = ascii_only

    def __call__(self, text: str) -> str:
        """The text, of the same length, in letters that the terminal has."""
        return text.translate(self._letters) if self._letters and not text.isascii() else text

    def large(self, text: str) -> list[str]:
        """The text in large figures, as the function of that name, in letters that there are.

        What is not known yet is a word, as a dash so large would look like a bar.
        """
        if text == NOTHING:
            blank = " " * len(NONE_YET)
            return [blank, NONE_YET, blank]
        if not self.ascii_only:
            return large(text)
        known = [STROKES[character] for character in text if character in STROKES]
        return [" ".join(rows) for rows in zip(*known, strict=True)] if known else [""] * 3


class Ascii(dict[int, str]):
    """What stands for which letter; accents are dropped, and what is unknown is a question mark."""

    def __missing__(self, code: int) -> str:
        plain = unicodedata.normalize("NFKD", chr(code))[0] if code > 127 else chr(code)
        self[code] = plain if plain.isascii() else "?"
        return self[code]


def _ascii_curve(pattern: int) -> str:
    """The letter that looks most like a braille pattern."""
    left, right = ([row for row in range(4) if pattern & side[row]] for side in (LEFT, RIGHT))
    rows = left + right
    if not rows:
        return " "
    if not left or not right:
        return "|" if len(rows) > 2 else "'" if max(rows) < 2 else "." if min(rows) > 1 else ":"
    rise = sum(left) / len(left) - sum(right) / len(right)
    if abs(rise) >= 1:
        return "/" if rise > 0 else "\\"
    if len(set(rows)) > 2:
        return "|" if len(rows) < 8 else "#"
    middle = sum(rows) / len(rows)
    return '"' if middle < 0.75 else "_" if middle > 2.25 else "-"


def _half(pattern: int) -> str:
    """The halves of a cell in which most of a braille pattern lies."""
    upper, lower = (
        sum(bool(pattern & side[row]) for side in (LEFT, RIGHT) for row in rows)
        for rows in ((0, 1), (2, 3))
    )
    most = max(upper, lower)
    return HALVES[upper > 1 or upper == most > 0, lower > 1 or lower == most > 0]


PLAIN = {
    **dict(zip("▏▎▍▌▋▊▉", "   ####", strict=True)),
    **dict(zip("▁▂▃▄▅▆▇█", ".:-=+*##", strict=True)),
    **dict(zip("▀▔━╸─┄│┃▐░▒▓", "\"'#--.||#.:#", strict=True)),
    **dict(zip("←→↑↓↶▶◀▸◂▼▲", "<>^v<><><v!", strict=True)),
    **dict(zip("●◆★■✓✕✗◌○‖·•…–—−∞°×±≤≥µ", "o+*#vxxo.|-*.---8o*~<>u", strict=True)),
}
"""What looks most like a sign, among the letters that every terminal has."""

FULL = Glyphs({})
"""A terminal with all letters."""

BLOCKS = Glyphs({BRAILLE + pattern: _half(pattern) for pattern in range(256)})
"""Curves in blocks: braille is too fine for a video."""

ASCII = Glyphs(
    Ascii(
        {ord(letter): plain for letter, plain in PLAIN.items()}
        | {BRAILLE + pattern: _ascii_curve(pattern) for pattern in range(256)}
    ),
    ascii_only=True,
)
"""A terminal or a locale that knows nothing but ASCII."""

POOR = ("linux", "vt", "ansi", "cons", "sun")
"""How terminals are called whose fonts lack braille and more."""


def fitting(environment: Mapping[str, str] = os.environ) -> Glyphs:
    """What this terminal and this locale can show."""
    if environment.get("TERM", "").startswith(POOR):
        return ASCII
    # Python itself sets LC_CTYPE where it finds nothing better, so it says less than LANG.
    named = (environment.get(name, "") for name in ("LC_ALL", "LANG", "LC_CTYPE"))
    locale = next(filter(None, named), "").lower()
    return FULL if not locale or "utf-8" in locale or "utf8" in locale else ASCII
