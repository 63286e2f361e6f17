"""Numbers as people read them: three significant digits, plain units, widths that do not move."""

from __future__ import annotations

import math

from pufftui.appearance.harmless import harmless

NOTHING = "–"
"""Stands for what is not known yet."""

NOT_A_NUMBER = "NaN"
"""Stands for what was given as a number and is none."""

MEMORY_UNITS = ("B", "kB", "MB", "GB", "TB")
SMALLEST = 1e-99
"""What is smaller has more digits in its power than a column has room for."""

SUFFIXES = ("", "k", "M", "B", "T", "P", "E")


def figure(value: float | None, width: int = 0) -> str:
    """Three significant digits with an SI suffix, right-aligned: 3.42M, 12.6k, 418, 0.061, 4e-12, 3e28."""
    return _figure(value).rjust(width)


def _figure(value: float | None) -> str:
    if value is None:
        return NOTHING
    if not math.isfinite(value):
        return NOT_A_NUMBER if math.isnan(value) else "∞" if value > 0 else "-∞"
    size = abs(value)
    if size < SMALLEST:
        return "0"
    if size >= 999.5 * 1000.0 ** (len(SUFFIXES) - 1):
        return _power(value)
    if size < 0.9995:
        return f"{value:.3f}" if size >= 0.00095 else _power(value)
    power = 0
    # What rounds up to 1000 already takes the next suffix.
    while size >= 999.5 and power < len(SUFFIXES) - 1:
        size /= 1000
        power += 1
    places = 2 if size < 9.995 else 1 if size < 99.95 else 0
    sign = "-" if value < 0 else ""
    text = f"{sign}{size:.{places}f}"
    if power == 0 and value == int(value) and places:
        text = f"{sign}{size:.0f}"  # a count is not 3.00
    return text + SUFFIXES[power]


def _power(value: float) -> str:
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def steps(value: float) -> str:
    """A number of agent steps: 0, 64, 412M, 1.00B."""
    return _figure(value) if value >= 1000 else str(int(value))


def tick(value: float) -> str:
    """A round number as an axis shows it: 1k, 250, 0.5."""
    text = _figure(value)
    digits = text.rstrip("".join(SUFFIXES))
    suffix = text[len(digits) :]
    return (digits.rstrip("0").rstrip(".") if "." in digits else digits) + suffix


def percent(share: float | None, width: int = 4) -> str:
    """A share as whole percent with its sign, right-aligned: `41 %`."""
    if share is None or not math.isfinite(share):
        return NOTHING.rjust(width)
    return f"{share * 100:.0f} %".rjust(width)


def progress(step: int, total: int) -> str:
    """How far a run is: never above 100 %, though its last epoch may end beyond the total."""
    return percent(min(step / total, 1.0) if total else None)


def duration(seconds: float | None) -> str:
    """The two largest units, the smaller one two digits wide: 12s, 3m 12s, 1h 04m, 2d 04h."""
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    for name, smaller, size, part in (("m", "s", 60, 1), ("h", "m", 3600, 60)):
        if whole < size * (60 if name == "m" else 24):
            return f"{whole // size}{name} {whole % size // part:02d}{smaller}"
    return f"{whole // 86400}d {whole % 86400 // 3600:02d}h"


def memory(count: float) -> str:
    """Bytes in binary units with three digits: 512 MB, 1.94 GB, 128 GB."""
    size, power = float(count), 0
    while size >= 999.5 and power < len(MEMORY_UNITS) - 1:
        size, power = size / 1024, power + 1
    places = 0 if size >= 99.95 or power == 0 else 1 if size >= 9.995 else 2
    return f"{size:.{places}f} {MEMORY_UNITS[power]}"


def setting(value: object) -> str:
    """The value of a setting: 0.015, 50M, mingru; several values with a slash between."""
    if isinstance(value, list):
        return "/".join(setting(one) for one in value)
    if value is None:
        return NOTHING
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return (
        tick(value) if abs(value) >= 10_000 and value == float(f"{value:.3g}") else f"{value:.10g}"
    )


def fit(text: str, width: int) -> str:
    """Exactly `width` cells: cut with an ellipsis or filled up; a letter may take two of them."""
    plain = harmless(text)
    used = cells(plain)
    if used <= width:
        return plain + " " * (width - used)
    return cut(plain, width - 1) + "…" if width > 0 else ""


def cells(text: str) -> int:
    """Cells of a terminal that a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def cut(text: str, width: int) -> str:
    """The first `width` cells of a text that has as many; half a letter is a blank."""
    if text.isascii():
        return text[: max(0, width)]
    from rich.cells import set_cell_size

    return set_cell_size(text, max(0, width))
