"""The labels of an axis: as few letters as tell every tick from the others and read back as its value."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from pufftui.appearance.format import SUFFIXES

USUAL = 5
"""Letters that most labels have room for."""

EXACT = 1 / 200
"""A label is at most so much of the distance between two ticks beside its value."""

LARGEST = 1000.0 ** len(SUFFIXES)
"""From here on there is no suffix."""

MOST_DIGITS = 17
"""Of a float64, after the point."""

TIME_UNITS = (("d", 86400), ("h", 3600), ("m", 60))


def labels(values: Iterable[float], step: float) -> list[str]:
    """Labels of multiples of `step`, all in one notation: 500k, 1M, 1.5M, or 5.541, 5.542, or 1e-4, 2e-4.

    Suffixes are preferred, then plain numbers, then powers of ten, unless another one is shorter than
    what is longer than USUAL.
    """
    near = [value if abs(value) > step * EXACT else 0.0 for value in values]
    ways = [
        [_nothing_or(way, value, step * EXACT) for value in near]
        for way in (_suffixed, _plain, _power)
    ]
    return min(ways, key=lambda texts: max([USUAL, *map(len, texts)]))


def clock_label(seconds: float, step: float) -> str:
    """A multiple of `step` seconds, down to the last unit that is not zero: 5m, 1h 05m, 2d 04h 13m 20s."""
    digits = _digits_after(step, 1, step * EXACT)
    rest = round(seconds, digits)
    parts: list[str] = []
    for unit, size in TIME_UNITS:
        count = int(rest // size)
        rest = round(rest - count * size, digits)
        if parts or count:
            parts.append(f"{count:02d}{unit}" if parts else f"{count}{unit}")
    if rest or not parts:
        whole, _, fraction = f"{rest:.{digits}f}".partition(".")
        fraction = f".{fraction.rstrip('0')}" if fraction.rstrip("0") else ""
        parts.append(f"{whole.zfill(2) if parts else whole}{fraction}s")
    while len(parts) > 1 and parts[-1].startswith("00") and "." not in parts[-1]:
        parts.pop()
    return " ".join(parts)


def _nothing_or(way: Callable[[float, float], str], value: float, error: float) -> str:
    return way(value, error) if value else "0"


def _suffixed(value: float, error: float) -> str:
    size = abs(value)
    if size >= LARGEST:
        return _plain(value, error)
    power = next(i for i in range(len(SUFFIXES)) if size < 1000.0 ** (i + 1))
    return _short(value, 1000.0**power, error) + SUFFIXES[power]


def _plain(value: float, error: float) -> str:
    return _short(value, 1.0, error)


def _power(value: float, error: float) -> str:
    power = math.floor(math.log10(abs(value)) + 1e-12)
    return f"{_short(value, 10.0**power, error)}e{power}"


def _short(value: float, unit: float, error: float) -> str:
    """The value in a unit with as few digits as come so near."""
    return f"{value / unit:.{_digits_after(value, unit, error)}f}"


def _digits_after(value: float, unit: float, error: float) -> int:
    scaled, near = value / unit, error / unit
    return next(
        (digits for digits in range(MOST_DIGITS) if abs(round(scaled, digits) - scaled) <= near),
        MOST_DIGITS,
    )
