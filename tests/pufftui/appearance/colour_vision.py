"""How colours look to eyes that lack a kind of cone, and how far apart two of them are.

Simulation after Machado, Oliveira and Fernandes (2009), severity 1; distances in Oklab, times 100:
below 2 two colours can hardly be told apart.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pufftui.appearance.palette import channels, linear, oklab

Floats = NDArray[np.float64]

EYES: dict[str, Floats] = {
    "all cones": np.eye(3),
    "no green": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "no red": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "no blue": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def light_of(colour: str) -> Floats:
    """Red, green and blue as amounts of light."""
    return linear(np.array(channels(colour)))


def seen(colour: str, eyes: str) -> Floats:
    """Where a colour lies in Oklab for these eyes."""
    light = np.clip(EYES[eyes] @ light_of(colour), 0, 1)
    return 100 * oklab(light)


def distance(one: str, other: str, eyes: str) -> float:
    """How different two colours look to these eyes."""
    return float(np.linalg.norm(seen(one, eyes) - seen(other, eyes)))


def lightness(colour: str) -> float:
    """CIE lightness, 0 to 100."""
    luminance = float(np.array([0.2126, 0.7152, 0.0722]) @ light_of(colour))
    return 116 * np.cbrt(luminance) - 16 if luminance > 0.008856 else 903.3 * luminance
