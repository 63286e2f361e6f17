"""The machine: processor, memory, disk, GPUs; and where the time of an epoch goes."""

from __future__ import annotations

from pufftui.appearance.format import memory, percent
from pufftui.appearance.glyphs import thin_bar
from pufftui.appearance.line import Line
from pufftui.appearance.theme import PuffTheme
from pufftui.charts.metric_colours import colour_of
from pufftui.trainer.messages.snapshot import TIME_PARTS, Snapshot
from pufftui.trainer.monitor.system import GpuReadings, HostReading
from pufftui.widgets.gpus import BLOCK, gpu_lines
from pufftui.widgets.meters import FULL, LABEL, cores, fact, graph, meter
from pufftui.widgets.painted import Card

HIGHEST_GRAPH = 6
MOST_CORE_ROWS = 4
MEGABYTE = 1 << 20


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
        """The figures always; bars of the cores, then GPUs in full, then curves as there is room."""
        look, host = self.look, self.host
        facts = self._facts(width)
        spare = height - len(facts)
        count = len(self.gpus.gpus)
        few = max(min(count, spare), 1)
        wanted = count * BLOCK if 1 <= count <= 2 else few
        bars = cores(look, host.each, width, 1 if spare - few < 6 else MOST_CORE_ROWS)
        if spare - len(bars) < few:
            bars = []
        spare -= len(bars)
        curve = 0
        if spare - wanted >= 3 and host.busy:
            curve = min((spare - wanted - 1) * 2 // 3 or 2, HIGHEST_GRAPH, spare - wanted - 1)
        spare -= curve
        gap: list[Line] = [[]] if spare > wanted else []
        past = graph(look, host.busy, "series0", width, curve) if curve else []
        below = gpu_lines(look, self.gpus, width, max(1, spare - len(gap)))
        return [facts[0], *bars, *past, *facts[1:], *gap, *below]

    def _facts(self, width: int) -> list[Line]:
        look, host = self.look, self.host
        used, total = memory(host.memory_used), memory(host.memory_total)
        share = host.memory_used / host.memory_total
        return [
            meter(look, "CPU", host.processor, f"{host.cores} cores", width, "series0"),
            meter(look, "RAM", share, f"{used} of {total}", width, "series0", full=True),
            fact(look, "this", self._process(), width),
            self._disk(width),
        ]

    def _process(self) -> str:
        host = self.host
        words = [memory(host.process_memory)]
        if host.process_growth is not None:
            words.append(f"{round(host.process_growth / MEGABYTE):+,} MB/h")
        return ", ".join([*words, f"{host.process_cores:.1f} cores"])

    def _disk(self, width: int) -> Line:
        free, total = self.host.disk_free, self.host.disk_total
        if free is None:
            return fact(self.look, "disk", "–", width, "dim")
        full = total is not None and free < (1 - FULL) * total
        text = memory(free)
        for more in (" free", f" of {memory(total)}" if total else ""):
            text += more if len(text) + len(more) <= width - LABEL else ""
        return fact(self.look, "disk", text, width, "warning" if full else "text")


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
        for name in TIME_PARTS:
            share = shares.get(name)
            full, empty = thin_bar(share or 0.0, max(4, width - 15))
            lines.append(
                [
                    (f"{name:<8}", look.style("dim")),
                    (percent(share, 5) + "  ", look.style("text")),
                    (full, look.style(colour_of(f"time_{name}"))),
                    (empty, look.style("track")),
                ]
            )
        return lines[:height]
