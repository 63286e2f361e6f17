"""Judges whether observations stay within the low and high that their fields declare, from what play.h saw."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from pufftui.envs.checking.findings import Facts, Finding, element_name
from pufftui.envs.descriptor import Descriptor, Field

HARDLY = 0.05
"""A field that uses no more than this share of its declared range is worth a word."""

FIX = "Set .low and .high to the least and the most that it can ever be, or mend the value."


def bound_findings(facts: Facts, descriptor: Descriptor) -> Iterator[Finding]:
    """For each field, the value that is farthest outside of what is declared, and the step of an episode."""
    worst: dict[int, tuple[float, str, float, float]] = {}
    for number, index, *extremes in _written(facts, descriptor):
        part = descriptor.fields[int(number)]
        low, high, low_step, high_step = extremes[:4]
        for outside, value, step in (
            (part.low - low, low, low_step),
            (high - part.high, high, high_step),
        ):
            if outside > worst.get(int(number), (0.0,))[0]:
                worst[int(number)] = outside, element_name(part, int(index)), value, step
    for number, (_, name, value, step) in sorted(worst.items()):
        where = f"in step {step:,.0f} of an episode" if step else "at the beginning of an episode"
        text = f"{name} of the observation is {value:.6g} {where}; declared is {_declared(descriptor.fields[number])}."
        yield Finding("bounds", text, FIX)


def bound_notes(facts: Facts, descriptor: Descriptor) -> Iterator[str]:
    """Fields whose declared range leaves little of -1 to 1 to what is really seen."""
    seen: dict[int, list[float]] = defaultdict(list)
    for number, _, low, high, *_ in _written(facts, descriptor):
        seen[int(number)] += [low, high]
    for number, values in seen.items():
        part = descriptor.fields[number]
        low, high = min(values), max(values)
        if low < high and high - low < HARDLY * (part.high - part.low):
            yield f"{part.name} was from {low:.4g} to {high:.4g} in play; declared is {_declared(part)}."


def _written(facts: Facts, descriptor: Descriptor) -> Iterator[list[float]]:
    """What elements of bounded fields were, in play and where an episode was cut short, if they were written."""
    for kind, left in (("element", "left"), ("last", "final")):
        unwritten = {int(byte) for byte, _ in facts.rows.get(left, ())}
        for row in facts.rows.get(kind, ()):
            part = descriptor.fields[int(row[0])]
            if part.is_bounded and unwritten.isdisjoint(part.place(int(row[1]))):
                yield row


def _declared(part: Field) -> str:
    return f"{part.low:g} to {part.high:g}"
