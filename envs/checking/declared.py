"""Judges what an environment declares: its keys, its tables, the size of its state."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pufftui.envs.checking.findings import Facts, Finding
from pufftui.envs.descriptor import TOGETHER, ActionKind, Choice, Descriptor

LARGEST_STATE = 16 << 20
"""Bytes of one game; training keeps hundreds to thousands of games, and checkpoints hold them all."""
TABLES = {
    "fields": "field_count",
    "actions": "action_count",
    "choices": "choice_count",
    "parameters": "parameter_count",
    "statistics": "statistic_count",
}
"""What counts the entries of each table of a descriptor."""

RESERVED_KEYS = {"escape", "backspace", "ctrl+c"}
NAMED_KEYS = set(
    "left right up down space enter tab delete insert home end pageup pagedown".split()
) | {f"f{number}" for number in range(1, 13)}


def declared_findings(descriptor: Descriptor) -> Iterator[Finding]:
    """What can be told from the declarations alone."""
    used: dict[str, str] = {}
    continuous = descriptor.action_kind is ActionKind.CONTINUOUS
    choices = [
        (action, number, choice)
        for action in descriptor.actions
        for number, choice in enumerate(action.choices)
    ]
    for action, number, choice in choices:
        for keys in choice.keys:
            yield from _key_findings(keys.split(TOGETHER), choice)
            same = TOGETHER.join(sorted(keys.split(TOGETHER)))
            if same in used:
                text = f"The key {keys} chooses both {used[same]!r} and {choice.label!r}."
                yield Finding("keys", text, "Give each key to one choice only.")
            used[same] = choice.label
        if not (choice.single_keys or number == action.neutral or continuous):
            text = f"No key chooses {choice.label!r}, so nobody can play it by hand."
            yield Finding("keys", text, "Add a key to the choice.")
    known = {key for _, _, choice in choices for key in choice.single_keys}
    for key in descriptor.tapped_keys:
        if key not in known:
            text = f"The tapped key {key} chooses nothing."
            yield Finding("keys", text, "List keys of choices in .tapped_keys.")
    if not descriptor.summary:
        yield Finding("summary", "It has no summary.", "Write .summary, a line for lists.")


def _key_findings(keys: list[str], choice: Choice) -> Iterator[Finding]:
    """What is wrong with keys that are held together, or with one."""
    for key in keys:
        if key in RESERVED_KEYS:
            text = f"The key {key} of {choice.label!r} belongs to the dashboard."
            yield Finding("keys", text, "Choose another key.")
        elif not _is_key(key):
            text = f"No keyboard sends the key {key!r} of {choice.label!r}."
            known = "left, right, up, down, space, enter, or a lower-case letter"
            yield Finding("keys", text, f"Name it as the terminal does: {known}.")


def state_size_findings(facts: Facts) -> Iterator[Finding]:
    """A state with which nobody could train; it is not played with either."""
    size = (facts.one("state") or [0])[0]
    if size > LARGEST_STATE:
        text = (
            f"The state of one game takes {size / 1e6:,.0f} MB, and training plays hundreds of games "
            f"at once; more than {LARGEST_STATE >> 20} MB are not checked."
        )
        yield Finding(
            "state_size",
            text,
            "Keep only what the game needs in the state; constants can be static const.",
        )


def count_finding(facts: str, complaints: str, folder: Path) -> Finding | None:
    """What is wrong if reading the declarations crashed behind the end of a table.

    `facts` says what was being read, `complaints` is what the sanitizer said.
    """
    table, number = next(
        (words for line in reversed(facts.splitlines()) if (words := line.split())[0] in TABLES),
        ("", ""),
    )
    own = re.escape(str(folder))
    variable = re.search(
        rf"to the right of global variable '(\w+)' defined in '{own}/([^\s':]+:\d+)", complaints
    )
    if not (table and variable):
        return None
    return Finding(
        "declared",
        f"{TABLES[table]} is {number}, but the table {variable[1]}, at {variable[2]}, has fewer entries.",
        f"Write .{TABLES[table]} = PUFF_COUNT({variable[1]}).",
    )


def _is_key(key: str) -> bool:
    return key in NAMED_KEYS or (len(key) == 1 and key.isprintable() and key == key.lower())
