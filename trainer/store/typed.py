"""Makes records of rows, and refuses what a damaged store holds in their place."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

Record = TypeVar("Record")
Decode = Callable[[Any], Any]

KINDS: Mapping[str, tuple[type, ...]] = {"int": (int,), "float": (float, int), "str": (str,)}
"""What SQLite gives for a column of that type."""
MAY_BE_INFINITE = "score"

NOTHING: Mapping[str, Decode] = {}


def records(
    record: type[Record], rows: list[tuple[Any, ...]], decode: Mapping[str, Decode] = NOTHING
) -> list[Record]:
    """A record of each row, whose columns are its fields in their order.

    Columns named in `decode` are what that makes of them. Raises `ValueError` for a value that cannot be
    there, or what `decode` raises.
    """
    kind: Any = record
    columns = _columns(kind)
    return [
        record(
            *(
                decode[name](value) if name in decode else _checked(name, kinds, value)
                for (name, kinds), value in zip(columns, row, strict=False)
            )
        )
        for row in rows
    ]


@functools.cache
def _columns(record: type) -> list[tuple[str, tuple[type, ...]]]:
    """The names of a record's fields, with the types that they may have; none if that is not checked."""
    found = []
    for field in fields(record):
        kind, _, nothing = str(field.type).partition(" | ")
        kinds = KINDS.get(kind, ())
        found.append((field.name, (*kinds, type(None)) if kinds and nothing else kinds))
    return found


def _checked(name: str, kinds: tuple[type, ...], value: Any) -> Any:
    if kinds and not isinstance(value, kinds):
        raise ValueError(f"{name} is {value!r:.40}")
    if isinstance(value, float) and not math.isfinite(value) and name != MAY_BE_INFINITE:
        raise ValueError(f"{name} is {value}")
    return value
