"""The lines of the machine's panel that tell of its GPUs: as much of each as there is room for."""

from __future__ import annotations

import math

from pufftui.appearance.format import figure, fit, memory, percent
from pufftui.appearance.glyphs import levels, thin_bar
from pufftui.appearance.line import Line
from pufftui.appearance.theme import PuffTheme
from pufftui.trainer.monitor.system import GpuReading, GpuReadings
from pufftui.widgets.meters import LABEL, fact, graph, meter

HOT = 85.0
"""Degrees Celsius from which a GPU's temperature is a warning."""

BLOCK = 4
"""Lines that one GPU takes where there is room for all that is known of it."""

WIDE = 76
"""Columns from which a row has room for everything."""


def gpu_lines(look: PuffTheme, readings: GpuReadings, width: int, height: int) -> list[Line]:
    """At most `height` lines, at least one, however many GPUs there are."""
    gpus = readings.gpus
    if not gpus:
        return [fact(look, "GPU", readings.note, width, "dim")]
    if len(gpus) * BLOCK <= height and (len(gpus) <= 2 or width < WIDE):
        return _blocks(look, readings, width, height)
    if len(gpus) <= height:
        row = _wide_row if width >= WIDE else _row
        recent = readings.recent or ((),) * len(gpus)
        rows = [row(look, gpu, past, width) for gpu, past in zip(gpus, recent, strict=True)]
        return [*rows, *_reasons(look, gpus, width)[: height - len(rows)]]
    return _summary(look, gpus, width)[: max(1, height)]


def _blocks(look: PuffTheme, readings: GpuReadings, width: int, height: int) -> list[Line]:
    """Each GPU in four lines; where there is room with its recent past."""
    gpus = readings.gpus
    spare = (height - BLOCK * len(gpus) - (len(gpus) - 1)) // len(gpus)
    lines: list[Line] = []
    for place, gpu in enumerate(gpus):
        if lines and spare >= 0:
            lines.append([])
        block = _block(look, gpu, width)
        if spare >= 2 and place < len(readings.recent) and not gpu.trouble:
            block[2:2] = graph(look, readings.recent[place], "series1", width, min(spare, 4))
        lines += block
    return lines


def _block(look: PuffTheme, gpu: GpuReading, width: int) -> list[Line]:
    label = f"GPU {gpu.index}".ljust(LABEL)
    if gpu.trouble:
        text = fit(f"{gpu.name}, {gpu.trouble}", width - LABEL).rstrip()
        return [[(label, look.style("dim")), (text, look.style("warning"))]]
    used = "" if gpu.memory_used is None else memory(gpu.memory_used)
    return [
        _head(look, gpu, label, width),
        meter(look, "use", gpu.use, "", width, "series1"),
        meter(look, "mem", gpu.memory_share, used, width, "series1", full=True),
        _pace(look, gpu, width),
    ]


def _head(look: PuffTheme, gpu: GpuReading, label: str, width: int) -> Line:
    """Name, heat and power; the limit of the power where there is room for it."""
    heat = "" if gpu.temperature is None else f"{gpu.temperature:.0f} °C"
    power = "" if gpu.power is None else f"{gpu.power:.0f}"
    long = f"{power} of {gpu.power_limit:.0f} W" if power and gpu.power_limit else ""
    short = f"{power} W" if power else ""
    room = width - len(label)
    name = gpu.name if len(gpu.name) + len(heat) + len(short) + 4 <= room else ""
    free = room - len(name) - len(heat) - 3
    watts = long if long and len(long) <= free else short if len(short) <= free else ""
    gap = " " * max(1, room - len(name) - len(heat) - len(watts) - 2)
    return [
        (label, look.style("dim")),
        (name + gap, look.style("text")),
        (heat, look.style("warning" if _hot(gpu) else "dim")),
        (f"  {watts}" if watts else "", look.style("dim")),
    ]


def _pace(look: PuffTheme, gpu: GpuReading, width: int) -> Line:
    """How fast it ticks, and in words why not faster; these go before how fast it could."""
    room = width - LABEL
    why = f"  ▲ {', '.join(gpu.throttle)}" if gpu.throttle else ""
    now = _clock(gpu)
    if len(now) + len(why) > room:
        why = " ▲"
    if gpu.clock is not None and gpu.clock_limit:
        long = f"{gpu.clock / 1000:.2f} of {gpu.clock_limit / 1000:.2f} GHz"
        now = long if len(long) + len(why) <= room else now
    return [
        ("clock".ljust(LABEL), look.style("dim")),
        (now, look.style("text")),
        (why, look.style("warning")),
    ]


def _clock(gpu: GpuReading) -> str:
    return "–" if gpu.clock is None else f"{gpu.clock / 1000:.2f} GHz"


def _row(look: PuffTheme, gpu: GpuReading, _past: tuple[float, ...], width: int) -> Line:
    """One GPU in one line: how busy, and as there is room how hot, how full, how much power."""
    label = f"{gpu.index} "
    if gpu.trouble:
        text = fit(gpu.trouble, width - len(label)).rstrip()
        return [(label, look.style("dim")), (text, look.style("warning"))]
    heat = "–" if gpu.temperature is None else f"{gpu.temperature:.0f}°"
    parts: Line = [
        (f" {heat:>4}", look.style("warning" if _hot(gpu) else "dim")),
        (percent(gpu.memory_share, 6), look.style("text")),
        (f" {figure(gpu.power):>4} W", look.style("dim")),
    ]
    room = width - len(label) - 8
    shown: Line = []
    for part in parts:
        if room - len(part[0]) >= LEAST_BAR:
            shown, room = [*shown, part], room - len(part[0])
    full, empty = _bar(gpu.use, min(max(LEAST_BAR, room), 24))
    return [
        (label, look.style("dim")),
        (percent(gpu.use, 5) + " ", look.style("text")),
        (full, look.style("series1")),
        (empty, look.style("track")),
        *sorted(shown, key=lambda part: part is parts[0]),
        (" ▲" if gpu.throttle else "  ", look.style("warning")),
    ]


LEAST_BAR = 4


def _bar(share: float | None, width: int) -> tuple[str, str]:
    """The full and the empty part of a bar; spaces where nobody knows how full it is."""
    return ("", " " * width) if share is None else thin_bar(share, width)


def _wide_row(look: PuffTheme, gpu: GpuReading, past: tuple[float, ...], width: int) -> Line:
    """The same with its name, its clock, its limits and its recent past."""
    label = f"GPU {gpu.index}".ljust(LABEL + 1)
    if gpu.trouble:
        text = fit(f"{gpu.name}, {gpu.trouble}", width - len(label)).rstrip()
        return [(label, look.style("dim")), (text, look.style("warning"))]
    heat = "–" if gpu.temperature is None else f"{gpu.temperature:.0f} °C"
    watts = "–" if gpu.power is None else f"{gpu.power:.0f}"
    limit = f" of {gpu.power_limit:.0f} W" if gpu.power_limit else " W"
    rest = f"  {heat:>6}  {watts:>4}{limit}  {_clock(gpu):>8}"
    room = width - len(label) - len(rest) - 2 - 32
    name = fit(gpu.name, max(0, min(12, room - 6)))
    plot = max(0, min(room - len(name) - 2, 40))
    full, empty = _bar(gpu.use, 8)
    filled, free = _bar(gpu.memory_share, 5)
    return [
        (label, look.style("dim")),
        (f"{name} ", look.style("text")),
        (percent(gpu.use, 5) + " ", look.style("text")),
        (full, look.style("series1")),
        (empty, look.style("track")),
        ("  mem", look.style("dim")),
        (percent(gpu.memory_share, 6) + " ", look.style("text")),
        (filled, look.style("series1")),
        (free, look.style("track")),
        (rest, look.style("warning" if _hot(gpu) else "dim")),
        (" ▲" if gpu.throttle else "  ", look.style("warning")),
        (f" {levels(past[-plot:] if plot else ())}".rjust(plot + 1), look.style("series1")),
    ]


def _reasons(look: PuffTheme, gpus: tuple[GpuReading, ...], width: int) -> list[Line]:
    """Why GPUs are throttled, each reason once."""
    reasons: dict[str, list[int]] = {}
    for gpu in gpus:
        for word in gpu.throttle:
            reasons.setdefault(word, []).append(gpu.index)
    lines: list[Line] = []
    for word, which in reasons.items():
        who = "all" if len(which) == len(gpus) else f"GPU {', '.join(map(str, which))}"
        lines.append([(fit(f"▲ {who}: {word}", width).rstrip(), look.style("warning"))])
    return lines


def _summary(look: PuffTheme, gpus: tuple[GpuReading, ...], width: int) -> list[Line]:
    """All GPUs together, where there are more of them than lines."""
    shares = [math.nan if gpu.use is None or gpu.trouble else gpu.use for gpu in gpus]
    busy = [share for share in shares if not math.isnan(share)]
    heats = [gpu.temperature for gpu in gpus if gpu.temperature is not None]
    fulls = [gpu.memory_share for gpu in gpus if gpu.memory_share is not None]
    row = levels(shares)[: max(0, width - LABEL - 7)]
    troubled = sum(bool(gpu.trouble) for gpu in gpus)
    slow = sum(bool(gpu.throttle) for gpu in gpus)
    text = [f"▲ {troubled} lost"] if troubled else []
    text += [f"▲ {slow} throttled"] if slow else []
    text += [f"mem {percent(sum(fulls) / len(fulls)).strip()}"] if fulls else []
    text += [f"{min(heats):.0f} to {max(heats):.0f} °C"] if heats else []
    colour = "warning" if troubled or slow or max(heats, default=0) >= HOT else "text"
    return [
        [
            (f"{len(gpus)} GPU".ljust(LABEL), look.style("dim")),
            (percent(sum(busy) / len(busy) if busy else None, 5) + "  ", look.style("text")),
            (row, look.style("series1")),
        ],
        fact(look, "", ", ".join(text), width, colour),
    ]


def _hot(gpu: GpuReading) -> bool:
    return (gpu.temperature or 0) >= HOT
