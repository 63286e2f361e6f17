"""A theme in the 16 colours of the plainest terminals: what must be read differs from what it lies on.

The nearest of so few colours is not enough: greys and blues of a theme run together, and letters vanish.
"""

from __future__ import annotations

from collections.abc import Mapping

from pufftui.appearance.palette import SIXTEEN, Shades, contrast, in_hex, nearest_of_16

MEANINGFUL = ("policy", "human", "good", "warning", "error")
"""Letters whose colour says something, so that it stays as near as can be read."""

LEAST = 3.0
"""Contrast, after WCAG 2, of letters and curves with what they lie on."""

BLACK, BLUE, GREY, LIGHT, WHITE = "#000000", "#0000aa", "#555555", "#aaaaaa", "#ffffff"
FAINTEST = 0.35
"""A mixture with a smaller share of a colour is its ground: in between there is nothing."""


def in_sixteen(colours: Mapping[str, str], *, dark: bool) -> dict[str, str]:
    """The colours of a theme, by name, as those that the terminal has."""
    found = {name: nearest_of_16(colour) for name, colour in colours.items()}
    found |= {
        "surface": BLACK if dark else WHITE,
        "raised": BLUE if dark else WHITE,
        "track": GREY if dark else LIGHT,
        "band": GREY if dark else LIGHT,
        "faint": GREY if dark else LIGHT,
        "text": WHITE if dark else BLACK,
        "dim": LIGHT if dark else GREY,
    }
    letters = _readable(found["surface"], found["raised"])
    curves = _readable(found["surface"])
    for name, colour in colours.items():
        if name in MEANINGFUL:
            found[name] = letters.nearest(colour)
        elif name.startswith("series"):
            found[name] = curves.nearest(colour)
    return found


def _readable(*grounds: str) -> Shades:
    """The colours that can be read on all of these grounds."""
    return Shades(
        SIXTEEN[[min(contrast(in_hex(one), on) for on in grounds) >= LEAST for one in SIXTEEN]]
    )
