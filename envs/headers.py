"""Reads the C headers, so that what Python knows of them is written in one place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

ABI = 6
"""The interface that our headers are of; libraries that were built for an older one are read, too."""

ADDED: Mapping[str, Mapping[str, int]] = {
    "puff_field": {"low": 3, "high": 3, "columns": 6},
    "puff_descriptor": {
        "locate": 2,
        "agents_in": 4,
        **dict.fromkeys(("statistic_meanings", "view_count", "views"), 5),
        **dict.fromkeys(("fills_any_shape", "describe", "tapped_keys"), 5),
    },
}
"""In which interface members came that structs did not have in the first one, always at their ends."""


MOST_STATISTICS: Mapping[int, int] = {1: 10, 5: 24}
"""How many statistics an episode has room for, from which interface on."""


def most_statistics(abi: int) -> int:
    """How many statistics an episode of a library of this interface has room for."""
    return MOST_STATISTICS[max(since for since in MOST_STATISTICS if since <= abi)]


def declarations(header: Path) -> str:
    """The part of a header between its cdef markers, without comments, for cffi."""
    source = header.read_text(encoding="utf-8")
    part = source.split("/* cdef begin */")[1].split("/* cdef end */")[0]
    return re.sub(r"/\*.*?\*/", "", part, flags=re.DOTALL)


def named(struct: str, abi: int) -> str:
    """What a struct of an interface is called in `older_declarations`; ours keeps its name."""
    return struct if abi == ABI else f"{struct}_{abi}"


def older_declarations(ours: str) -> str:
    """The structs of `ADDED` as all older interfaces have them, for cffi, from the declarations of `puff_env.h`."""
    found = []
    for abi in range(1, ABI):
        for struct, added in ADDED.items():
            text = re.search(rf"typedef struct {{([^}}]*)}} {struct};", ours)
            assert text is not None
            members = [part for part in text[1].split(";") if added.get(_name(part), 0) <= abi]
            body = re.sub(rf"\b({'|'.join(ADDED)})\b", rf"\1_{abi}", ";".join(members))
            found.append(f"typedef struct {{{body}}} {named(struct, abi)};")
    return "\n".join(found)


def _name(member: str) -> str:
    """What the declaration of a member names: a value, or a pointer to a function."""
    found = re.search(r"\(\*(\w+)\)|(\w+)\s*$", member)
    return (found[1] or found[2]) if found else ""
