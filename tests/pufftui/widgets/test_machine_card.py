"""The machine's panel: any number of cores and GPUs in any space, and what is wrong in words."""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pufftui.appearance.theme import DEFAULT_THEME, load_themes
from pufftui.trainer.monitor.system import GpuReading, GpuReadings, HostReading
from pufftui.widgets.cores import cores
from pufftui.widgets.gpus import gpu_lines
from pufftui.widgets.machine import MachineCard

LOOK = load_themes()[DEFAULT_THEME]
GB = 1 << 30
H200 = GpuReading(0, "H200", 0.87, 48 * GB, 141 * GB, 61.0, 412.0, 1980.0, 1980.0, 700.0)
HOST = HostReading(
    cores=2,
    processor=0.64,
    busy=(0.2, 0.5, 0.64),
    memory_used=4 * GB,
    memory_total=16 * GB,
    process_memory=2 * GB,
    process_cores=0.9,
    each=(0.3, 0.98),
    process_growth=12.4 * (1 << 20),
    disk_free=412 * GB,
    disk_total=2048 * GB,
)


def text(lines) -> list[str]:
    return ["".join(words for words, _ in line) for line in lines]


def card(host: HostReading, gpus: GpuReadings, width: int, height: int) -> list[str]:
    panel = MachineCard(LOOK)
    panel.host, panel.gpus = host, gpus
    return text(panel.content(width, height))


def several(count: int, **changes) -> GpuReadings:
    gpus = tuple(replace(H200, index=index, **changes) for index in range(count))
    return GpuReadings(gpus, "" if count else "none found", ((0.5, 0.9),) * count)


@settings(max_examples=300)
@given(
    st.integers(16, 160),
    st.integers(4, 50),
    st.integers(0, 256),
    st.integers(0, 16),
    st.booleans(),
    st.booleans(),
)
def test_it_fits_whatever_the_machine(width, height, core_count, gpu_count, hot, told) -> None:
    each = tuple((core * 7 % 11) / 10 for core in range(core_count))
    changes = {"temperature": 91.0, "throttle": ("at its power limit", "slowed by heat")}
    gpus = several(gpu_count, **(changes if hot else {}))
    if not told:
        unknown = tuple(GpuReading(gpu.index, "unknown") for gpu in gpus.gpus)
        gpus = GpuReadings(unknown, gpus.note)
    lines = card(replace(HOST, each=each), gpus, width, height)
    assert all(len(line) <= width for line in lines), lines
    if height >= 6:
        assert len(lines) <= height
        assert gpu_count or lines[-1].startswith("GPU   none")


@pytest.mark.parametrize("count", [1, 2, 8, 64, 192, 256])
@pytest.mark.parametrize("width", [20, 28, 40, 118])
def test_every_core_counts(count: int, width: int) -> None:
    lines = cores(LOOK, [0.0] * (count - 1) + [1.0], width, 4)
    bars = "".join(line[6:] for line in text(lines)).replace(" ", "")
    assert len(set(bars)) <= 2
    idle = text(cores(LOOK, [0.0] * count, width, 4))
    assert text(lines) != idle
    assert "█" in bars or "by" in text(lines)[0]


def test_the_whole_story_of_one_gpu() -> None:
    lines = card(HOST, several(1), 40, 20)
    story = "\n".join(lines)
    for words in (
        "61 °C  412 of 700 W",
        "1.98 of 1.98 GHz",
        "48.0 GB",
        "2.00 GB, +12 MB/h, 0.9 cores",
        "412 GB free of 2.00 TB",
        "CPU   64 %",
    ):
        assert words in story, words
    assert "▲" not in story
    slow = several(1, clock=1200.0, throttle=("at its power limit",))
    assert re.search(
        r"1\.20 of 1\.98 GHz  ▲ at its power limit", "\n".join(card(HOST, slow, 50, 20))
    )
    assert "clock 1.20 GHz  ▲ at its power limit" in card(HOST, slow, 38, 20)
    assert "clock 1.20 of 1.98 GHz ▲" in card(HOST, slow, 30, 20)


def test_memory_that_shrinks_and_memory_that_is_not_known_yet() -> None:
    assert "-300 MB/h" in "\n".join(
        card(replace(HOST, process_growth=-300.0 * (1 << 20)), several(0), 40, 10)
    )
    assert "MB/h" not in "\n".join(card(replace(HOST, process_growth=None), several(0), 40, 10))


def test_many_gpus_in_little_space_are_summed_up() -> None:
    gpus = several(8)
    slow = replace(gpus, gpus=(*gpus.gpus[:7], replace(gpus.gpus[7], throttle=("slowed by heat",))))
    lines = text(gpu_lines(LOOK, slow, 40, 3))
    assert lines[0].startswith("8 GPU")
    assert "▲ 1 throttled" in lines[1]
    assert "61 to 61 °C" in text(gpu_lines(LOOK, gpus, 40, 3))[1]
    rows = text(gpu_lines(LOOK, slow, 40, 12))
    assert len(rows) == 9
    assert rows[7].rstrip().endswith("▲")
    assert rows[8] == "▲ GPU 7: slowed by heat"
    wide = text(gpu_lines(LOOK, slow, 110, 12))
    assert wide[0].startswith("GPU 0")
    assert "412 of 700 W" in wide[0]


def test_a_gpu_that_vanished_is_one_line() -> None:
    gone = GpuReadings((H200, replace(GpuReading(1, "H200"), trouble="has gone")), "", ((), ()))
    lines = text(gpu_lines(LOOK, gone, 40, 12))
    assert lines[-1] == "GPU 1 H200, has gone"
    assert text(gpu_lines(LOOK, GpuReadings(note="none found"), 40, 5)) == ["GPU   none found"]


def test_rows_of_older_and_newer_versions_can_be_read() -> None:
    old = {"index": 1, "name": "A100", "use": 0.5, "memory_used": 1, "memory_total": 2}
    assert GpuReading.from_row(old) == GpuReading(1, "A100", 0.5, 1, 2)
    now = replace(H200, throttle=("slowed by heat",))
    assert GpuReading.from_row(json.loads(json.dumps(asdict(now)))) == now
    assert GpuReading.from_row({"index": 2, "throttle": None, "hue": "red"}).index == 2


UNKNOWN = {"use": None, "memory_used": None, "memory_total": None}


@pytest.mark.parametrize(("width", "height"), [(30, 12), (40, 2), (100, 3), (60, 20), (24, 1)])
def test_what_a_gpu_does_not_tell_is_a_dash_and_no_bar(width: int, height: int) -> None:
    """Parts of a card that is divided (MIG) do not say how busy they are."""
    for count in (1, 3):
        gpus = replace(several(count, **UNKNOWN), recent=((math.nan, math.nan),) * count)
        shown = "\n".join(text(gpu_lines(LOOK, gpus, width, height)))
        assert "–" in shown
        assert not re.search(r"\b0 %|[─▁]", shown), shown


def test_a_gpu_that_is_lost_does_not_count_as_idle() -> None:
    gpus = several(8).gpus
    lost = replace(H200, use=None, index=8, trouble="not answering: GPU is lost")
    lines = text(gpu_lines(LOOK, GpuReadings((*gpus, lost)), 60, 3))
    assert " 87 %" in lines[0]
    assert "1 lost" in lines[1]
    silent = tuple(replace(gpu, use=None, trouble="has gone") for gpu in gpus)
    assert "–" in text(gpu_lines(LOOK, GpuReadings(silent), 60, 3))[0]


@pytest.mark.parametrize("garbage", [2**32 - 1, 2**64 - 1, -1, math.nan, "many", True])
def test_a_stored_reading_of_garbage_is_unknown(garbage: object) -> None:
    row = asdict(H200) | dict.fromkeys(("use", "power", "clock", "clock_limit"), garbage)
    found = GpuReading.from_row(row)
    assert (found.use, found.power, found.clock, found.clock_limit) == (None,) * 4
    assert found.memory_total == H200.memory_total
    assert found.temperature == H200.temperature


def busy(count: int, seconds: int = 240) -> HostReading:
    """A host of so many cores of which the first is idle, the last works, and others do both."""
    each = [0.0, *(0.5 for _ in range(count - 2)), 1.0]
    return replace(
        HOST,
        cores=count,
        each=tuple(each),
        past=(tuple(each),) * seconds,
        busy=(0.5,) * seconds,
        occupied=tuple(GB + second for second in range(seconds)),
        traffic=((0.0, 2.0 * (1 << 20)),) * seconds,
    )


@pytest.mark.parametrize(
    ("count", "size"), [(2, (46, 17)), (8, (46, 17)), (16, (60, 24)), (64, (100, 45))]
)
@pytest.mark.parametrize("gpus", [0, 1])
def test_every_core_has_its_own_past(count: int, size: tuple[int, int], gpus: int) -> None:
    lines = card(busy(count), several(gpus), *size)
    for core in range(count):
        graphs = [
            found[1]
            for line in lines
            if (found := re.search(rf"(?:^| ){core} (?: *\d+ % )?([▁-█]{{6,}})(?: |$)", line))
        ]
        assert len(graphs) == 1, core
        wanted = "▁" if core == 0 else "▇█" if core == count - 1 else "▁▂▃▄▅▆▇█"
        assert set(graphs[0]) <= set(wanted)


@pytest.mark.parametrize("size", [(46, 17), (118, 30), (34, 40)])
@pytest.mark.parametrize("gpus", [0, 1, 2])
def test_the_room_of_the_panel_is_used(size: tuple[int, int], gpus: int) -> None:
    lines = card(busy(2), several(gpus), *size)
    assert len(lines) <= size[1]
    assert sum(not line for line in lines) <= max(gpus, 1) + 1, "gaps alone are empty"
    assert "write 2.00 MB/s, reads 0 B/s" in "\n".join(lines)
    assert len(lines) >= min(size[1], 16)


def test_a_disk_that_nobody_counts_and_one_that_is_idle() -> None:
    silent = replace(busy(2), traffic=())
    assert not any(line.startswith("write") for line in card(silent, several(0), 46, 17))
    idle = replace(busy(2), traffic=((0.0, 0.0),) * 9)
    assert "write 0 B/s, reads 0 B/s" in "\n".join(card(idle, several(0), 46, 17))
