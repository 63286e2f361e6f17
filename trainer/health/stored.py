"""The same checks on a run that is stored, live or finished."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from pufftui.trainer.health.finding import Finding, Level
from pufftui.trainer.health.logged import NoNumber
from pufftui.trainer.health.moment import Facts, Moment, Reading
from pufftui.trainer.health.suite import Change, HealthSuite
from pufftui.trainer.store import NotFinite, StoreReader, StoreWriter, SystemRow

FACTS = "health"
"""Name of the fact in the store that holds what the detectors must know."""

MOST_ROWS = 50_000
"""A longer run is checked in blocks of rows, so that it takes seconds."""


@dataclass(frozen=True, slots=True)
class Told:
    """A finding of the past, at its worst: when it was first told, and when it was over, if it was."""

    finding: Finding
    step: int
    seconds: float
    over_step: int | None = None


def stored_facts(reader: StoreReader) -> Facts | None:
    """What was known when the run began; None if nobody has said, as in runs of older versions."""
    stored = reader.facts().get(FACTS)
    return Facts.from_dict(stored) if isinstance(stored, dict) else None


def check_run(reader: StoreReader, facts: Facts) -> list[Told]:
    """All findings of a run as it is now, in the order in which they would have been told."""
    suite = HealthSuite(facts)
    told: list[Told] = []
    for at in _in_order(reader):
        changes = suite.see(at) if isinstance(at, Moment) else suite.see_machine(at)
        for change in changes:
            _tell(told, change)
    for change in suite.end() if has_ended(reader) else []:
        _tell(told, change)
    return told + [_broken(name, odd) for name, odd in reader.not_finite().items()]


def _broken(name: str, odd: NotFinite) -> Told:
    """A metric whose rows lack what it was given."""
    text = f"{name} is {odd.words}."
    found = Finding(NoNumber.rule, Level.WARNING, text, odd.step, odd.seconds)
    return Told(found, odd.step, odd.seconds)


def write_changes(store: StoreWriter, changes: Iterable[Change]) -> None:
    """What was found becomes alerts of the run, and what is over is noted with them."""
    for change in changes:
        found = change.finding
        if change.over:
            store.alerts_over(change.step, change.seconds, found.rule.id)
            continue
        store.alert(
            change.step,
            change.seconds,
            level=found.level.word,
            rule=found.rule.id,
            title=found.rule.title,
            text=found.text,
            evidence=found.evidence(),
            advice=found.rule.advice,
        )


def has_ended(reader: StoreReader) -> bool:
    """Whether a run came to its end or was stopped, and nobody has gone on with it since."""
    turns = [event.kind for event in reader.events_after(0) if event.kind in ("start", "stop")]
    return turns[-1:] == ["stop"]


def _tell(told: list[Told], change: Change) -> None:
    for place, earlier in enumerate(told):
        if earlier.finding.rule is change.finding.rule and earlier.over_step is None:
            if change.over:
                told[place] = replace(earlier, over_step=change.step)
            else:
                told[place] = replace(earlier, finding=change.finding)
            return
    told.append(Told(change.finding, change.step, change.seconds))


def _in_order(reader: StoreReader) -> Iterator[Moment | Reading]:
    readings = [reading_of(row) for row in reader.system_after(0)]
    at = 0
    for moment in moments(reader):
        while at < len(readings) and readings[at].seconds <= moment.seconds:
            yield readings[at]
            at += 1
        yield moment
    yield from readings[at:]


def moments(reader: StoreReader, most: int = MOST_ROWS) -> Iterator[Moment]:
    """The rows that belong to the run as it is now; of one with more than `most`, blocks of them."""
    blocks = reader.metrics_between(points=most)
    names = list(blocks.mean)
    shape = len(names), len(blocks.first_steps)
    table = np.array([blocks.mean[name] for name in names], np.float64).reshape(shape).T
    for row, values in enumerate(table):
        known = {n: v for n, v in zip(names, values.tolist(), strict=True) if v == v}  # noqa: PLR0124
        yield Moment(int(blocks.last_steps[row]), float(blocks.seconds[row]), known)


def reading_of(row: SystemRow) -> Reading:
    """A stored reading of the machine."""
    return Reading(
        step=row.step,
        seconds=row.seconds,
        process_memory=row.process_memory,
        memory_used=row.memory_used,
        memory_total=row.memory_total,
        screen_cores=row.screen_cores,
        gpus=row.gpus,
    )
