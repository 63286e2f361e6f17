"""Turns what the probe (check.c) saw into findings: what is wrong, and what to do about it."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pufftui.envs.descriptor import ActionKind, Descriptor, Field

LARGEST_OBSERVATION = 10.0
"""A number that a policy sees should not be larger; -1 to 1 is best."""
SMALLEST_REWARD = 0.1
LARGEST_REWARD = 1.0
OUTLIERS = 0.01
"""Share of the scores that may lie outside the declared range; `perf` is clipped there."""
SOME = 4
"""Examples that are listed before the rest is counted."""

ALL_IN_STATE = (
    "Keep all that a game needs in its state: no static variables, no malloc, no rand(), no clock."
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong; `detail` holds other programs' words, `accepted` the reason given."""

    id: str
    text: str
    fix: str
    detail: str = ""
    accepted: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """The lines that the probe printed, by their first word, as numbers."""

    rows: dict[str, list[list[float]]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, text: str) -> Facts:
        """The lines of one part."""
        facts = cls()
        facts.read(text)
        return facts

    def read(self, text: str) -> None:
        """Adds the lines of one part."""
        for line in text.splitlines():
            word, *numbers = line.split()
            self.rows[word].append([float(number) for number in numbers])

    def one(self, word: str) -> list[float] | None:
        """The numbers of a line that comes once; None if its part did not get so far."""
        lines = self.rows.get(word)
        return lines[0] if lines else None


def play_findings(
    facts: Facts, descriptor: Descriptor, reward_scale: float | None, *, normalised: bool
) -> Iterator[Finding]:
    """Everything that random play showed.

    Rewards of any size are right if no scale is given, floats of any size if they are `normalised`:
    training brings them into range by itself.
    """
    if facts.one("steps") is None:
        return
    yield from _unwritten(facts, descriptor)
    yield from _observed(facts, descriptor, normalised=normalised)
    yield from _rewards(facts, reward_scale)
    yield from _episodes(facts)
    yield from _scores(facts, descriptor)


def action_findings(facts: Facts, descriptor: Descriptor) -> Iterator[Finding]:
    """Choices that never lead to anything else than another one."""
    for component, choice, other, samples in facts.rows.get("alike", ()):
        action = descriptor.actions[int(component)]
        labels = [repr(choice.label) for choice in action.choices]
        if descriptor.action_kind is ActionKind.CONTINUOUS:
            labels = ["-1", "0", "+1"]
        yield Finding(
            "action_unused",
            f"{labels[int(choice)]} of the action {action.name} never led to anything but "
            f"{labels[int(other)]}, from {samples:,.0f} equal states.",
            "Let `step` use it, or remove it; choices are numbered in the order of their table. "
            'Accept it with action_unused_ok = "why" in [check] of the TOML.',
        )


def state_findings(facts: Facts, places: Sequence[bytes]) -> Iterator[Finding]:
    """What is wrong with the state; `places` holds its bytes from processes of their own."""
    again, threads = facts.one("again"), facts.one("threads")
    unequal, restored = facts.one("unequal"), facts.one("restored")
    twice = facts.one("twice")
    pointer = None
    if unequal and unequal[1]:
        pointer = int(unequal[0])
    elif not unequal and len(set(places)) > 1 and len(set(map(len, places))) == 1:
        first, second = places[0], next(place for place in places if place != places[0])
        pointer = next(
            i for i, pair in enumerate(zip(first, second, strict=True)) if len({*pair}) > 1
        )
        pointer = pointer % (len(first) // 2) // 8 * 8
    if pointer is not None:
        yield Finding(
            "pointers",
            f"The state holds an address, at byte {pointer}: the same game at another place "
            "in memory has another state.",
            "Store an index or an offset instead; the state is copied and saved byte by byte.",
        )
    if pointer is None and ((unequal and not unequal[1]) or (again and not again[0])):
        text = "Equal seeds and equal actions give unequal games."
        yield Finding("shared", text, f"Something lies outside the state. {ALL_IN_STATE}")
    elif (restored and not restored[0]) or (twice and twice[1] and pointer is None):
        text = "A game that was saved and restored goes on differently."
        yield Finding("restore", text, ALL_IN_STATE)
    if threads and not threads[0]:
        text = "Games come out differently on several threads than on one."
        yield Finding("threads", text, f"Games share something. {ALL_IN_STATE}")


def named_sharing(found: Sequence[Finding], shared: str) -> list[Finding]:
    """Findings of the state, with the memory that games share, if the thread sanitizer has named it."""
    if not shared:
        return list(found)
    text = f"Games share {shared}."
    if any(finding.id == "shared" for finding in found):
        text = f"Equal seeds and equal actions give unequal games: they share {shared}."
    fix = "Move it into the state, or make it const if it never changes."
    return [Finding("shared" if found and found[0].id == "shared" else "threads", text, fix)]


def draw_findings(facts: Facts) -> Iterator[Finding]:
    """What is wrong with the pictures."""
    bare, touched, astray, torn = facts.one("drawn") or (0, 0, 0, 0)
    if bare:
        text = "Some pixels of the picture are never painted."
        yield Finding("draw", text, "Begin `draw` with puff_clear.")
    if touched:
        text = "`draw`, `locate` or `describe` changes the state, so watching a game changes it."
        yield Finding("draw", text, "Only read the state there.")
    if astray:
        text = "`locate` finds agents that do not exist."
        yield Finding("locate", text, "Return PUFF_NOBODY where there is no agent.")
    if torn:
        text = "`describe` fills in rows that cannot be shown."
        advice = "Fill them in with words.h: it keeps to the sizes, and ends each text. A `choice` is one of the first component."
        yield Finding("describe", text, advice)


def notes(facts: Facts, descriptor: Descriptor) -> Iterator[str]:
    """What is worth knowing and not wrong."""
    still: dict[int, list[str]] = defaultdict(list)
    for number, index, low, high, *_ in facts.rows.get("element", ()):
        if low == high:
            still[int(number)].append(element_name(descriptor.fields[int(number)], int(index)))
    for number, elements in still.items():
        if len(elements) < descriptor.fields[number].count:
            yield f"{listed(elements)} never changed."
    episodes = (facts.one("episodes") or (0,))[0]
    outside = (facts.one("score") or (0, 0, 0, 0, 0))[4]
    if 0 < outside <= OUTLIERS * episodes:
        yield f"A few scores are out of range: {_scores_went(facts, descriptor)}."


def size_notes(facts: Facts) -> Iterator[str]:
    """That rewards of another size than one are none of the author's business."""
    nonzero, total, squares, largest, infinite = facts.one("rewards") or (0, 0, 0, 0, 0)
    if not nonzero or infinite:
        return
    typical = squares / total
    if typical < SMALLEST_REWARD or largest > LARGEST_REWARD * (1 + 1e-6):
        yield f"A typical reward is {typical:.2g}, the largest {largest:.4g}. Training scales them by itself."


def _left(facts: Facts, part: Field) -> list[float]:
    """How often each element of a field was not written, or not whole."""
    left = {int(byte): count for byte, count in facts.rows.get("left", ())}
    places = (part.place(index) for index in range(part.count))
    return [max(left.get(byte, 0) for byte in place) for place in places]


def _unwritten(facts: Facts, descriptor: Descriptor) -> Iterator[Finding]:
    rows, finals = facts.one("rows") or (0, 0)
    left = {int(byte): count for byte, count in facts.rows.get("left", ())}
    for part in descriptor.fields:
        worst = dict(enumerate(_left(facts, part)))
        never = [element_name(part, index) for index, count in worst.items() if count == rows]
        some = {element_name(part, index): c for index, c in worst.items() if 0 < c < rows}
        fix = (
            "Write the whole observation in `reset` and in every `step`; the last one is not kept."
        )
        if never:
            yield Finding("unwritten", f"{listed(never)} of the observation is never written.", fix)
        if some:
            share = max(some.values()) / rows
            text = f"{listed(list(some))} of the observation is not written in {share:.2%} of the steps."
            yield Finding("unwritten", text, fix)
    covered = {byte for part in descriptor.fields for byte in range(part.offset, part.end)}
    hidden = [
        b for b in range(descriptor.observation_bytes) if b not in covered and left.get(b, 0) < rows
    ]
    if hidden:
        text = f"Byte {listed(list(map(str, hidden)))} of the observation belongs to no field."
        yield Finding(
            "fields", text, "Add it to the table of fields, else the policy never sees it."
        )
    if finals and any(int(byte) in covered for byte, _ in facts.rows.get("final", ())):
        yield Finding(
            "final",
            "An episode is cut short and the observation that would have come next is lost.",
            "Write it to puff_final(io, agent) before the reset.",
        )


@dataclass(frozen=True, slots=True)
class Element:
    """What one element of the observation was in play."""

    name: str
    low: float
    high: float
    infinite: float
    overflows: float

    @property
    def size(self) -> float:
        """The largest it was, without its sign; 0 if it never was a finite number."""
        size = max(abs(self.low), abs(self.high))
        return size if math.isfinite(size) else 0.0


def _observed(facts: Facts, descriptor: Descriptor, *, normalised: bool) -> Iterator[Finding]:
    lines = facts.rows.get("element", ())
    for number, group in itertools.groupby(lines, key=lambda line: int(line[0])):
        part = descriptor.fields[number]
        left = _left(facts, part)
        elements = [
            Element(element_name(part, int(index)), low, high, infinite, overflows)
            for _, index, low, high, _, _, infinite, overflows in group
            if not left[int(index)]
        ]
        if elements:
            yield from _field(part, elements, normalised=normalised)


def _field(part: Field, elements: Sequence[Element], *, normalised: bool) -> Iterator[Finding]:
    infinite = [each.name for each in elements if each.infinite]
    if infinite:
        text = f"{listed(infinite)} of the observation is infinite or not a number at times."
        yield Finding("finite", text, "Look for a division by zero or a root of less than zero.")
    largest = max(elements, key=lambda each: each.size)
    if any(each.overflows for each in elements):
        yield Finding(
            "range",
            f"{largest.name} of the observation reaches {largest.high:.0f}; its classes are 0 to "
            f"{part.classes - 1}.",
            "Raise `classes` to the highest value plus one, or fix the value.",
        )
    if part.is_unbounded and largest.size > LARGEST_OBSERVATION and not normalised:
        yield Finding(
            "range",
            f"{largest.name} of the observation reaches {largest.size:.4g}; -1 to 1 is easy to "
            "learn from.",
            "Divide it by the largest value that it can have, or set "
            'normalise = "on" in [policy] of the TOML.',
        )
    if all(each.low == each.high for each in elements):
        text = f"{part.name} of the observation never changed from {elements[0].low:g}."
        fix = (
            "Fill it in, or leave it out. Accept it with "
            'constant_ok = "why" in [check] of the TOML.'
        )
        yield Finding("constant", text, fix)


def _rewards(facts: Facts, scale: float | None) -> Iterator[Finding]:
    nonzero, total, squares, largest, infinite = facts.one("rewards") or (0, 0, 0, 0, 0)
    if infinite:
        text = f"{infinite:,.0f} rewards are infinite or not a number."
        yield Finding("finite", text, "Look for a division by zero or a root of less than zero.")
    if not nonzero:
        if not infinite:
            text = "No reward was ever paid."
            yield Finding(
                "reward_none", text, "Pay about 1 for what is good and -1 for what is bad."
            )
        return
    if scale is None:
        return
    # The size of the reward through which a typical unit of reward comes.
    typical, largest = squares / total * scale, largest * scale
    if typical < SMALLEST_REWARD:
        yield Finding(
            "reward_small",
            f"Rewards are too small to learn from: a typical one is {typical:.2g}.",
            f"Pay about 1, or set reward_scale = {1 / typical * scale:.2g} in [train] of the TOML; "
            'accept it with reward_small_ok = "why" in [check].',
        )
    if largest > LARGEST_REWARD * (1 + 1e-6):
        yield Finding(
            "reward_clamped",
            f"Rewards are as large as {largest:.4g}; training clips them to -1 and 1.",
            f"Divide them, or set reward_scale = {scale / largest:.2g} in [train] of the TOML; "
            'accept it with reward_clamped_ok = "why" in [check].',
        )


def _episodes(facts: Facts) -> Iterator[Finding]:
    episodes, *_, dead = facts.one("episodes") or (0, 0)
    steps, cut = facts.one("steps") or (0, 0)
    if dead > 1:
        text = f"All agents were dead for {dead:,.0f} steps and no new episode began."
        yield Finding("never_ends", text, "Reset in the step in which the last agent dies.")
    elif not episodes and not cut:
        yield Finding(
            "never_ends",
            f"No episode ended in {steps:,.0f} steps.",
            "Set `terminals` where a game is over, or `truncations` at a time limit. Accept it with "
            'never_ends_ok = "why" in [check] of the TOML.',
        )
    odd, both = facts.one("flags") or (0, 0)
    if odd:
        text = "A flag in terminals, truncations or alive is neither 0 nor 1."
        yield Finding("flags", text, "Write 0 or 1.")
    if both:
        text = "An episode ends both by a terminal and by a truncation."
        yield Finding("flags", text, "Set the terminal if the game was over, else the truncation.")


def _scores(facts: Facts, descriptor: Descriptor) -> Iterator[Finding]:
    _, _, unwritten, infinite, outside = facts.one("score") or (0, 0, 0, 0, 0)
    episodes = (facts.one("episodes") or (0,))[0]
    if unwritten:
        text = "An episode ends without a score."
        yield Finding("score", text, "Write io->scores[agent] in the step that sets the flag.")
    if infinite:
        yield Finding("score", "A score is infinite.", "Look for a division by zero.")
    if outside > OUTLIERS * episodes:
        text = f"{outside / episodes:.1%} of the scores are out of range: {_scores_went(facts, descriptor)}."
        yield Finding("score", text, "Widen .score_low and .score_high to what is possible.")
    for index, count in facts.rows.get("statistic", ()):
        if count:
            name = descriptor.statistics[int(index)]
            text = f"An episode ends without the statistic {name}."
            fix = f"Write io->statistics[agent * {len(descriptor.statistics)} + {index:.0f}] there."
            yield Finding("statistics", text, fix)


def _scores_went(facts: Facts, descriptor: Descriptor) -> str:
    low, high, *_ = facts.one("score") or (0, 0)
    declared = f"{descriptor.score_low:g} to {descriptor.score_high:g}"
    return f"they went from {low:g} to {high:g}, declared is {declared}"


def element_name(part: Field, index: int) -> str:
    """What an element of a field is called."""
    return part.name if part.count == 1 else f"{part.name}[{index}]"


def listed(names: Sequence[str]) -> str:
    """The first names, and how many there are beside them."""
    if len(names) <= SOME:
        return ", ".join(names)
    return f"{', '.join(names[:SOME])} and {len(names) - SOME} more"
