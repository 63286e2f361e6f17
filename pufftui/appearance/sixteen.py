"""A theme in the 16 colours of the plainest terminals: what must be read differs from what it lies on.

The nearest of so few colours is not enough: greys and blues of a theme run together, and letters vanish.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pufftui.appearance.palette import SIXTEEN, channels, contrast, linear, nearest_of_16, oklab

WORDS = ("text", "dim", "policy", "human", "good", "warning", "error")
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
    grounds = [found["surface"], found["raised"]]
    for name, colour in colours.items():
        if name in WORDS[2:]:
            found[name] = _readable(colour, grounds)
        elif name.startswith("series"):
            found[name] = _readable(colour, grounds[:1])
    return found


def _readable(colour: str, grounds: list[str]) -> str:
    """The nearest colour that can be read on all of these grounds."""
    shown = ["#{:02x}{:02x}{:02x}".format(*one) for one in SIXTEEN]
    fit = [at for at, one in enumerate(shown) if min(contrast(one, on) for on in grounds) >= LEAST]
    places = oklab(linear(SIXTEEN[fit]))
    wanted = oklab(linear(np.array([channels(colour)])))
    return shown[fit[int(np.linalg.norm(places - wanted, axis=1).argmin())]]
