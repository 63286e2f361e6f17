"""The colours a terminal has, for themes that want others: the nearest one as the eye sees it.

Whoever only cuts off the lower bits makes black, navy and teal of dark greys, and panels, bars and
curves run together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Quantise = Callable[[str], str]

STEPS = (0x00, 0x5F, 0x87, 0xAF, 0xD7, 0xFF)
"""Amounts of red, green and blue in the colour cube of 256 colours; greys follow it."""

SIXTEEN = np.array(
    [
        (high if red else low, (0x55 if brown else high) if green else low, high if blue else low)
        for low, high in ((0x00, 0xAA), (0x55, 0xFF))
        for blue in (0, 1)
        for green in (0, 1)
        for red in (0, 1)
        for brown in (low == 0 and red and green and not blue,)
    ]
)
"""What terminals of 16 colours have, about; most let a person choose others for them."""

TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


LIGHTNESS = np.array([0.2126, 0.7152, 0.0722])
"""How much red, green and blue light make a colour look light."""


def quantiser(color_system: str | None, *, no_color: bool) -> Quantise | None:
    """What makes a colour one that can be shown; None where all can, or where hardly any can."""
    if no_color:
        return grey
    return {"256": nearest_of_256, "standard": nearest_of_16}.get(color_system or "")


class Shades:
    """Some colours, among which the nearest to any other is found."""

    def __init__(self, known: NDArray[np.int64]) -> None:
        """`known` has red, green and blue of each, 0 to 255: (n, 3)."""
        self._names = [in_hex(one) for one in known]
        self._places = oklab(linear(known))

    def nearest(self, colour: str) -> str:
        """The one that looks most like `#rrggbb`."""
        wanted = oklab(linear(np.array([channels(colour)])))
        return self._names[int(np.linalg.norm(self._places - wanted, axis=1).argmin())]


@lru_cache(maxsize=8192)
def nearest_of_256(colour: str) -> str:
    """The nearest of the 240 colours that all terminals with 256 colours agree on."""
    return _shades_of_256().nearest(colour)


@lru_cache(maxsize=8192)
def nearest_of_16(colour: str) -> str:
    """The nearest of the 16 colours of the plainest terminals, which show it as their own."""
    return _shades_of_16().nearest(colour)


@lru_cache(maxsize=8192)
def grey(colour: str) -> str:
    """The grey that is as light as a colour."""
    red, green, blue = channels(colour)
    level = round(0.299 * red + 0.587 * green + 0.114 * blue)
    return in_hex((level, level, level))


def channels(colour: str) -> tuple[int, int, int]:
    """Red, green and blue, 0 to 255, of `#rrggbb`."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def in_hex(amounts: Iterable[int]) -> str:
    """Red, green and blue, 0 to 255, as `#rrggbb`."""
    return "#{:02x}{:02x}{:02x}".format(*amounts)


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two colours after WCAG 2: 1 is none, 21 is black on white."""
    amounts = linear(np.array([channels(first), channels(second)])) @ LIGHTNESS
    low, high = sorted(amounts.tolist())
    return float((high + 0.05) / (low + 0.05))


@lru_cache(maxsize=1)
def _shades_of_256() -> Shades:
    cube = [(red, green, blue) for red in STEPS for green in STEPS for blue in STEPS]
    greys = [(level, level, level) for level in range(8, 239, 10)]
    return Shades(np.array(cube + greys))


@lru_cache(maxsize=1)
def _shades_of_16() -> Shades:
    return Shades(SIXTEEN)


def linear(channels: NDArray[np.int64]) -> Floats:
    """Red, green and blue (n, 3) from 0 to 255 as amounts of light."""
    shares = channels / 255
    return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)


def oklab(light: Floats) -> Floats:
    """Where amounts of light (n, 3) lie in Oklab, in which distances are those that the eye sees."""
    place: Floats = np.cbrt(light @ TO_CONES.T) @ TO_OKLAB.T
    return place
