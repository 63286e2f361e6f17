"""The machine: processor, memory, GPUs; and where the time of an epoch goes."""

from __future__ import annotations

import numpy as np

from pufftui.format import figure, memory, percent
from pufftui.glyphs import thin_bar
from pufftui.plot import Line, profile
from pufftui.theme import PuffTheme
from pufftui.trainer.snapshot import TIME_PARTS, Snapshot
from pufftui.trainer.system import GpuReading, GpuReadings, HostReading
from pufftui.widgets.painted import Card

HOT = 85.0
"""Degrees Celsius from which a GPU's temperature is a warning."""


class MachineCard(Card):
    """Host and GPUs; one line where there is no GPU."""

    title = "machine"

    def __init__(self, look: PuffTheme) -> None:
        super().__init__(look, "machine")
        self.host = HostReading()
        self.gpus = GpuReadings()
        self.device = ""

    def show(self, host: HostReading, gpus: GpuReadings, device: str) -> None:
        self.host, self.gpus, self.device = host, gpus, device
        self.paint()

    def detail(self) -> str:
        return f"on {self.device}" if self.device else ""

    def content(self, width: int, height: int) -> list[Line]:
        look, host = self.look, self.host
        gpus = self._gpus(width)
        lines = [
            self._meter("CPU", host.processor, f"{host.cores} cores", width),
            self._meter(
                "RAM",
                host.memory_used / host.memory_total,
                f"{memory(host.memory_used)} of {memory(host.memory_total)}",
                width,
            ),
            self._fact(
                "this", f"{memory(host.process_memory)}, {host.process_cores:.1f} cores", width
            ),
        ]
        room = height - len(lines) - len(gpus)
        if room >= 2 and host.busy:
            rows = min(room - (room > 3), 3 if height < 20 else 6)
            history = np.full(2 * width, np.nan)
            recent = host.busy[-2 * width :]
            history[2 * width - len(recent) :] = recent
            lines[1:1] = profile(look, history, "series0", rows, 0.0, 1.0)
            room -= rows
        if room >= 1:
            lines.append([])
        return lines + gpus

    def _meter(self, name: str, share: float, note: str, width: int) -> Line:
        look = self.look
        if width < 34:
            note = ""
        bar = max(4, width - 12 - (len(note) + 1 if note else 0))
        full, empty = thin_bar(share, bar)
        # Full memory is a warning; a busy processor is what one wants.
        colour = "warning" if share > 0.95 and name in {"RAM", "mem"} else "series0"
        return [
            (f"{name:<5}", look.style("dim")),
            (percent(share, 5) + "  ", look.style("text")),
            (full, look.style(colour)),
            (empty, look.style("track")),
            (f" {note}" if note else "", look.style("dim")),
        ]

    def _fact(self, name: str, text: str, width: int) -> Line:
        shown = text if len(text) <= width - 6 else text.split(",", maxsplit=1)[0]
        return [(f"{name:<5} ", self.look.style("dim")), (shown, self.look.style("text"))]

    def _gpus(self, width: int) -> list[Line]:
        if not self.gpus.gpus:
            note = self.gpus.note
            return [
                [("GPU   ", self.look.style("dim")), (note[: width - 6], self.look.style("dim"))]
            ]
        if len(self.gpus.gpus) > 2:
            return [self._short(gpu, width) for gpu in self.gpus.gpus]
        return [line for gpu in self.gpus.gpus for line in self._long(gpu, width)]

    def _long(self, gpu: GpuReading, width: int) -> list[Line]:
        look = self.look
        name = gpu.name[: width - 7]
        share = (
            gpu.memory_used / gpu.memory_total
            if gpu.memory_used is not None and gpu.memory_total
            else 0.0
        )
        temperature = "" if gpu.temperature is None else f"{gpu.temperature:.0f} °C"
        power = "" if gpu.power is None else f"{gpu.power:.0f} W"
        gap = " " * max(1, width - 6 - len(name) - len(temperature) - len(power) - 2)
        heat = "warning" if (gpu.temperature or 0) >= HOT else "dim"
        return [
            [
                (f"GPU {gpu.index} ", look.style("dim")),
                (name, look.style("text")),
                (f"{gap}{temperature}  {power}", look.style(heat)),
            ],
            self._meter("use", gpu.use or 0.0, "", width),
            self._meter("mem", share, memory(gpu.memory_used or 0), width),
        ]

    def _short(self, gpu: GpuReading, width: int) -> Line:
        look = self.look
        share = (
            gpu.memory_used / gpu.memory_total
            if gpu.memory_used is not None and gpu.memory_total
            else None
        )
        full, empty = thin_bar(gpu.use or 0.0, 6)
        heat = "warning" if (gpu.temperature or 0) >= HOT else "dim"
        hot = "–" if gpu.temperature is None else f"{gpu.temperature:.0f}°"
        return [
            (f"{gpu.index} ", look.style("dim")),
            (percent(gpu.use, 5) + " ", look.style("text")),
            (full, look.style("series0")),
            (empty, look.style("track")),
            (percent(share, 6), look.style("text")),
            (
                f" {hot:>4}" + (f" {figure(gpu.power):>4} W" if width >= 34 else ""),
                look.style(heat),
            ),
        ]


class TimeCard(Card):
    """The shares of an epoch's time as bars."""

    title = "time"
    airy = 8

    def __init__(self, look: PuffTheme) -> None:
        super().__init__(look, "time")
        self.snapshot: Snapshot | None = None

    def show(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.paint()

    def detail(self) -> str:
        return "of an epoch"

    def content(self, width: int, height: int) -> list[Line]:
        look = self.look
        shares = self.snapshot.time_shares if self.snapshot else {}
        lines: list[Line] = []
        for position, name in enumerate(TIME_PARTS):
            share = shares.get(name)
            full, empty = thin_bar(share or 0.0, max(4, width - 15))
            lines.append(
                [
                    (f"{name:<8}", look.style("dim")),
                    (percent(share, 5) + "  ", look.style("text")),
                    (full, look.style(f"series{position}")),
                    (empty, look.style("track")),
                ]
            )
        return lines[:height]
