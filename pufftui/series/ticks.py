"""Round numbers for axes: steps between ticks, and limits that rarely move."""

from __future__ import annotations

import math

UNITS = (1, 2, 2.5, 5, 10)

SMALLEST = 1e-300
"""What is smaller has too few digits left to be divided."""

SAME = 1e-6
"""Values that differ by so little of their size are one: the store keeps seven digits of most."""


def nice_step(span: float, parts: int) -> float:
    """A round number (1, 2, 2.5 or 5 times a power of ten) that divides `span` into about `parts`."""
    raw = max(span, SMALLEST) / max(parts, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    return next(power * unit for unit in UNITS if power * unit >= raw * 0.999)


def nice_range(low: float, high: float, parts: int) -> tuple[float, float, float]:
    """Limits around [low, high], a step between ticks, and limits that rarely move.

    Returns (bottom, top, step): ticks lie at multiples of `step`, two or more of them between the
    limits, which lie at quarters of it.
    """
    if not high - low > max(SAME * max(abs(low), abs(high)), SMALLEST):
        margin = max(abs(low), abs(high)) * 0.1
        margin = margin if margin > SMALLEST else 1.0
        low, high = low - margin, high + margin
    step = nice_step(0.75 * (high - low), parts)
    while True:
        quarter = step / 4
        first = math.floor(low / quarter + 1e-9)
        # What is smaller than the least step still gets one.
        last = max(math.ceil(high / quarter - 1e-9), first + 1)
        if len(multiples(first / 4, last / 4)) > 1:
            return first * quarter, last * quarter, step
        step = nice_step(0.45 * step, 1)


def multiples(first: float, last: float) -> range:
    """The whole numbers from `first` to `last`, both of which may be a rounding error beside one."""
    return range(math.ceil(first - 1e-9), math.floor(last + 1e-9) + 1)


def nice_end(value: float) -> float:
    """The next round number at or above a positive value; an axis that ends there rarely moves."""
    power = 10.0 ** math.floor(math.log10(max(value, 1e-9)))
    units = (1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
    return next(power * unit for unit in units if power * unit >= value * (1 - 1e-9))
