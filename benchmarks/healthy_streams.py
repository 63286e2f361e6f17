"""Healthy streams of many hours, made from short healthy runs.

They have the runs' trends, stretched, and noise of the same size that hangs together from second to
second as theirs does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pufftui.trainer.health import Facts, Moment, Reading, moments, stored_facts
from pufftui.trainer.store import StoreReader

Floats = NDArray[np.float64]

TREND, SPREAD = 9, 21
"""Rows over which the trend and the size of the noise are taken."""

HOURS_EACH = 4.0
READING_SECONDS = 5
MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Template:
    """What a healthy run is like, one row a second: (rows, metrics) each.

    Per metric, `together` is the correlation of the noise from one second to the next.
    """

    name: str
    facts: Facts
    metrics: list[str]
    trend: Floats
    spread: Floats
    together: Floats
    least: Floats
    most: Floats


def measured_noise(databases: list[Path]) -> list[Template]:
    """Templates from stored runs."""
    found = []
    for database in databases:
        reader = StoreReader(database)
        template = measure(database.parent.name, list(moments(reader)), stored_facts(reader))
        reader.close()
        if template is not None:
            found.append(template)
    return found


def measure(name: str, rows: list[Moment], facts: Facts | None) -> Template | None:
    """The template of one run, None if it is too short to say anything."""
    if facts is None or len(rows) < 2 * SPREAD:
        return None
    seconds = np.array([row.seconds for row in rows])
    grid = np.arange(np.ceil(seconds[0]), seconds[-1])
    metrics = sorted({name for row in rows for name in row.values})
    columns = []
    for metric in metrics:
        known = [(row.seconds, row.values[metric]) for row in rows if metric in row.values]
        times, values = np.array(known).T
        columns.append(np.interp(grid, times, values))
    table = np.array(columns).T
    trend = running(table, TREND, np.median)
    noise = table - trend
    spread = running(noise, SPREAD, np.std)
    unit = noise / np.where(spread > 0, spread, 1)
    before, after = unit[:-1], unit[1:]
    together = (before * after).mean(axis=0) / np.maximum((before**2).mean(axis=0), 1e-12)
    return Template(
        name,
        facts,
        metrics,
        trend,
        spread,
        np.clip(together, 0, 0.97),
        table.min(axis=0),
        table.max(axis=0),
    )


def running(table: Floats, window: int, figure: object) -> Floats:
    """A figure of the rows around each row."""
    padded = np.pad(table, ((window // 2, window // 2), (0, 0)), mode="edge")
    views = np.lib.stride_tricks.sliding_window_view(padded, window, axis=0)
    return np.asarray(figure(views, axis=-1))  # type: ignore[operator]


def make_hours(
    templates: list[Template], hours: float
) -> Iterator[tuple[str, Facts, Iterator[Moment | Reading]]]:
    """Streams of four hours each, from one template after the other."""
    for number in range(int(np.ceil(hours / HOURS_EACH))):
        template = templates[(number * 7) % len(templates)]
        random = np.random.default_rng(number)
        yield template.name, template.facts, stretch(template, HOURS_EACH * 3600, random)


def stretch(
    template: Template, seconds: float, random: np.random.Generator
) -> Iterator[Moment | Reading]:
    """A row a second and a reading of the machine every five."""
    count, total = int(seconds), template.facts.total_steps
    noise = np.zeros(len(template.metrics))
    fresh = np.sqrt(1 - template.together**2)
    memory = Memory(random)
    for second in range(count):
        place = second / count * (len(template.trend) - 1)
        row, share = int(place), place % 1
        after = min(row + 1, len(template.trend) - 1)
        trend = template.trend[row] * (1 - share) + template.trend[after] * share
        noise = template.together * noise + fresh * random.standard_normal(len(noise))
        values = np.clip(trend + noise * template.spread[row], template.least, template.most)
        step = int(total * second / count)
        yield Moment(step, float(second), dict(zip(template.metrics, values.tolist(), strict=True)))
        if second % READING_SECONDS == 0:
            yield memory.reading(step, float(second))


class Memory:
    """The memory of a process without a leak: it fills its caches in the first minutes, then wobbles."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._wobble = 0.0

    def reading(self, step: int, seconds: float) -> Reading:
        """What a look at the machine says."""
        self._wobble = 0.9 * self._wobble + self._random.normal(0, 3 * MEGABYTE)
        filled = 900 * MEGABYTE + 300 * MEGABYTE * (1 - np.exp(-seconds / 300))
        return Reading(
            step,
            seconds,
            process_memory=filled + self._wobble,
            memory_used=8 << 30,
            memory_total=16 << 30,
        )
