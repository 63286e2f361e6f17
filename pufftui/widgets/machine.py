"""The machine: processor, memory, disk, GPUs; and where the time of an epoch goes."""

from __future__ import annotations

from pufftui.appearance.format import memory, percent
from pufftui.appearance.glyphs import thin_bar
from pufftui.appearance.line import Line
from pufftui.appearance.theme import PuffTheme
from pufftui.charts.metric_colours import colour_of
from pufftui.trainer.messages.snapshot import TIME_PARTS, Snapshot
from pufftui.trainer.monitor.system import GpuReadings, HostReading
from pufftui.widgets.cores import core_graphs, cores
from pufftui.widgets.gpus import BLOCK, gpu_lines
from pufftui.widgets.meters import FULL, LABEL, fact, graph, meter
from pufftui.widgets.painted import Card

LOWEST_GRAPH, HIGHEST_GRAPH = 2, 6
MOST_CORE_ROWS = 4
FEW_CORES = 4
"""So many have graphs that tell what one of all of them would."""

GPU_PAST = 2
"""Rows for the recent past of each GPU."""

ROOM_FOR_TRAFFIC = 9
"""Rows of the panel from which one tells what the process reads and writes."""

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
        """The figures always; then the GPUs, the cores, and more of the past as there is room."""
        look, host = self.look, self.host
        processor, *memory_facts, disk = self._facts(width)
        disk_facts = [disk, *self._traffic_fact(width, height)]
        spare = height - 1 - len(memory_facts) - len(disk_facts)
        wanted = self._gpu_rows(spare)
        room = spare - wanted - (spare > wanted)
        each = self._cores(width, room)
        room -= len(each)
        kinds = self._pasts(told=bool(host.past) and bool(each))
        while kinds and room < LOWEST_GRAPH * len(kinds):
            kinds.popitem()
        graphs: dict[str, list[Line]] = {}
        for left, (kind, shares) in zip(range(len(kinds), 0, -1), kinds.items(), strict=True):
            rows = min(room // left, HIGHEST_GRAPH)
            graphs[kind] = graph(look, shares, "series0", width, rows)
            room -= rows
        above = [
            *(processor, *each, *graphs.get("processor", ())),
            *(*memory_facts, *graphs.get("memory", ())),
            *(*disk_facts, *graphs.get("disk", ())),
        ]
        gap: list[Line] = [[]] if height - len(above) > wanted else []
        below = gpu_lines(look, self.gpus, width, max(1, height - len(above) - len(gap)))
        return [*above, *gap, *below]

    def _gpu_rows(self, spare: int) -> int:
        """The rows that the GPUs should have of those that are left."""
        count = len(self.gpus.gpus)
        few = max(min(count, spare), 1)
        if not 1 <= count <= 2:
            return few
        whole = count * BLOCK + count - 1
        past = whole + count * GPU_PAST
        return past if spare > past + LOWEST_GRAPH else min(whole, max(spare, 1))

    def _cores(self, width: int, room: int) -> list[Line]:
        """Graphs of the cores where they fit into two thirds of the room, else bars, else nothing."""
        look, host = self.look, self.host
        graphs = core_graphs(look, host.past, width, room * 2 // 3)
        if graphs or room < 1:
            return graphs
        return cores(look, host.each, width, 1 if room < 6 else MOST_CORE_ROWS)

    def _pasts(self, *, told: bool) -> dict[str, list[float]]:
        """What there is a past of, as shares of the most; `told` is whether that of each core is seen."""
        host = self.host
        pasts: dict[str, list[float]] = {}
        if host.busy and not (told and host.cores <= FEW_CORES):
            pasts["processor"] = list(host.busy)
        if host.occupied:
            most = max(*host.occupied, 1)
            pasts["memory"] = [size / most for size in host.occupied]
        both = [read + written for read, written in host.traffic]
        if any(both):
            pasts["disk"] = [pace / max(both) for pace in both]
        return pasts

    def _traffic_fact(self, width: int, height: int) -> list[Line]:
        """What the process reads and writes, where there is a row to spare."""
        traffic = self.host.traffic
        if not traffic or height < ROOM_FOR_TRAFFIC:
            return []
        read, written = traffic[-1]
        most = max(sum(pace) for pace in traffic)
        words = [
            f"{memory(written)}/s",
            f"reads {memory(read)}/s",
            f"at most {memory(most)}/s",
        ]
        return [fact(self.look, "write", ", ".join(words), width)]

    def _facts(self, width: int) -> list[Line]:
        """One of the processor, two of memory, one of the disk."""
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
