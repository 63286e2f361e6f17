"""One thing that a key does, as data, and tables of such things as text."""

from __future__ import annotations

from dataclasses import dataclass

WHILE_PLAYING = "while playing"

VIEW = "view"
"""Id of the key that only games with several views have."""


@dataclass(frozen=True, slots=True)
class Key:
    """One thing a key does. `action` is run by the screen, or by a controller that it names first.

    `footer` is its rank in the footer, 0 leaves it out; `footer_shown` names a pair of keys there.
    """

    id: str
    keys: tuple[str, ...]
    shown: str
    short: str
    description: str
    group: str
    action: str
    footer: int = 0
    footer_shown: str = ""
    while_playing: bool = False


def rows(group: str, table: str) -> tuple[Key, ...]:
    """The keys of a table, one a line, in columns with `|` between them.

    id | keys | how it is shown | in a word | description | action | rank in the footer and how it is
    shown there | `while playing` if it counts then. The last columns may be left out.
    """
    return tuple(_row(group, line) for line in table.strip().splitlines())


def _row(group: str, line: str) -> Key:
    cells = [cell.strip() for cell in line.split("|")]
    name, keys, shown, short, description, action, footer, when = cells + [""] * (8 - len(cells))
    rank, _, footer_shown = footer.partition(" ")
    if when not in ("", WHILE_PLAYING):
        raise ValueError(line)
    return Key(
        id=name,
        keys=tuple(keys.split()),
        shown=shown,
        short=short,
        description=description,
        group=group,
        action=action,
        footer=int(rank or 0),
        footer_shown=footer_shown,
        while_playing=when == WHILE_PLAYING,
    )
