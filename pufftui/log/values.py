"""What a script calls a metric and a number, as the store can hold it."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pufftui.trainer.store import said, storable

DEEPEST = 20
"""Dictionaries in dictionaries; what is deeper may hold itself."""

LARGEST = 3.4e38
"""Of a float32, which is what the store draws."""

Tell = Callable[[str, str, str], None]
"""Hears what is wrong with a metric: a kind of trouble, the metric's name, a sentence."""


def values_of(values: Mapping[Any, Any], tell: Tell) -> Iterator[tuple[str, Any]]:
    """Names and values; a dictionary or dataclass in it becomes several, its name before a `/`."""
    yield from _flat("", values, 0, tell)


def _flat(
    prefix: str, values: Mapping[Any, Any], depth: int, tell: Tell
) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        name = _name(key, tell)
        if name is None:
            continue
        inner = value if type(value) is float else table_of(value)
        if isinstance(inner, Mapping) and depth < DEEPEST:
            yield from _flat(f"{prefix}{name}/", inner, depth + 1, tell)
        else:
            yield prefix + name, value


def table_of(value: Any) -> Mapping[Any, Any] | None:
    """A mapping, or the fields of a dataclass as one; None for anything else."""
    if isinstance(value, Mapping):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {at.name: getattr(value, at.name) for at in dataclasses.fields(value)}
    return None


def plain(value: Any) -> Any:
    """A number of numpy, torch and their like as one of Python; anything else as it is."""
    if type(value) in (bool, int, float, str) or not hasattr(value, "item"):
        return value
    if getattr(value, "size", 1) == 1 or callable(getattr(value, "size", None)):
        # A tensor that wants gradients warns if it is taken as a float.
        return value.item()
    return value


def number_of(name: str, value: Any, step: int, tell: Tell) -> tuple[float, bool] | None:
    """A number and whether a float32 can hold it; None after having said that it is none."""
    if type(value) is not float:
        try:
            simple = plain(value)
            value = float("text" if isinstance(simple, (str, bytes)) else simple)
        except OverflowError:
            value = sys.float_info.max
        except Exception:  # noqa: BLE001 - a stranger's object may raise anything
            kind = type(value).__name__
            tell("kind", name, f"{name} is left out: a {kind} is not a number")
            return None
    if -LARGEST <= value <= LARGEST:
        return value, True
    what = "too large to be kept" if math.isfinite(value) else str(value)
    tell("finite", name, f"{name} is {what} at step {step}")
    return value, False


def _name(name: Any, tell: Tell) -> str | None:
    """The name of a metric as the store can hold it, or None after having said why not."""
    if type(name) is str and name.isascii() and name.isprintable():
        return name
    try:
        text = str(name)
        kept = storable(text)
    except Exception as error:  # noqa: BLE001 - a stranger's object may raise anything
        kind = type(name).__name__
        tell("name", kind, f"a {kind} is not a name for a metric ({said(error)})")
        return None
    if kept != text:
        tell("name", kept, f"a name is no valid text and is kept as {kept}")
    return kept
