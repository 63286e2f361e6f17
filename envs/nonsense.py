"""Refuses declarations with which nothing could work, before anybody relies on them."""

from __future__ import annotations

import math
from typing import Any

from pufftui.envs.descriptor import ActionKind, DType, ParameterType
from pufftui.envs.headers import most_statistics
from pufftui.envs.readable import is_readable, is_text

FUNCTIONS = ("state_size", "init", "reset", "step", "draw")
WORDS_SINCE = 5
"""The interface from which on there are tables of meanings and views."""
MOST_CLASSES = 256
MOST_CHOICES = 1 << 16
MOST_VIEWS = 16


def refuse_nonsense(ffi: Any, raw: Any) -> None:
    """Raises `ValueError` with one clause that says what is wrong with a `puff_descriptor`."""
    _check_tables(raw)
    _check_figures(raw)
    _check_memory(ffi, raw)

    def name(entry: Any) -> str:
        return ffi.string(entry.name).decode() if entry.name else ""

    for field in raw.fields[0 : raw.field_count]:
        _check_field(name(field), field, raw)
    for action in raw.actions[0 : raw.action_count]:
        _check_action(name(action), action, raw)
    for parameter in raw.parameters[0 : raw.parameter_count] if raw.parameter_count else ():
        _check_parameter(name(parameter), parameter)


def _check_tables(raw: Any) -> None:
    for name in FUNCTIONS:
        if not getattr(raw, name):
            raise ValueError(f"it has no function {name}")
    for table, count in (
        ("fields", raw.field_count),
        ("actions", raw.action_count),
        ("parameters", raw.parameter_count),
        ("statistics", raw.statistic_count),
    ):
        if count and not getattr(raw, table):
            raise ValueError(f"it counts {count} {table} and has no table of them")
    most = most_statistics(raw.abi)
    if raw.statistic_count > most:
        raise ValueError(f"it has {raw.statistic_count} statistics, {most} are allowed")
    if raw.abi >= WORDS_SINCE and raw.view_count:
        if not raw.views:
            raise ValueError(f"it counts {raw.view_count} views and has no table of them")
        if raw.view_count > MOST_VIEWS:
            raise ValueError(f"it has {raw.view_count} views, {MOST_VIEWS} are allowed")


def _check_memory(ffi: Any, raw: Any) -> None:
    """Refuses tables that end before their counts do, as far as what lies behind shows that."""
    _check_table(ffi, raw.fields, raw.field_count, "field_count", ("name",))
    _check_table(ffi, raw.actions, raw.action_count, "action_count", ("name",))
    for action in raw.actions[0 : raw.action_count]:
        if action.choice_count > MOST_CHOICES:
            raise _too_many("action_count", raw.action_count)  # what was read is no action
        if action.choices:
            _check_table(
                ffi, action.choices, action.choice_count, "choice_count", ("label", "keys")
            )
    _check_table(ffi, raw.parameters, raw.parameter_count, "parameter_count", ("name", "help"))
    texts = [raw.name, raw.summary]
    if raw.abi >= WORDS_SINCE:
        texts.append(raw.tapped_keys)
    for table, count, counted in _tables_of_texts(raw):
        if not is_readable(ffi, table, count * ffi.sizeof("char*")):
            raise _too_many(counted, count)
        texts += list(table[0:count]) if count else []
    if not all(is_text(ffi, text) for text in texts if text):
        raise ValueError("one of its texts lies nowhere")


def _tables_of_texts(raw: Any) -> list[tuple[Any, int, str]]:
    """Each with its length, and what counts it."""
    tables = [(raw.statistics, raw.statistic_count, "statistic_count")]
    if raw.abi >= WORDS_SINCE and raw.statistic_meanings:
        tables.append((raw.statistic_meanings, raw.statistic_count, "statistic_count"))
    if raw.abi >= WORDS_SINCE:
        tables.append((raw.views, raw.view_count, "view_count"))
    return tables


def _check_table(ffi: Any, table: Any, count: int, counted: str, texts: tuple[str, ...]) -> None:
    if not count:
        return
    if not is_readable(ffi, table, count * ffi.sizeof(table[0])):
        raise _too_many(counted, count)
    for entry in table[0:count]:
        pointers = [getattr(entry, text) for text in texts]
        if not all(pointer == ffi.NULL or is_text(ffi, pointer) for pointer in pointers):
            raise _too_many(counted, count)


def _too_many(counted: str, count: int) -> ValueError:
    return ValueError(f"{counted} is {count}, but the table has fewer entries")


def _check_figures(raw: Any) -> None:
    for name in ("agents", "observation_bytes", "field_count", "action_count", "frames_per_step"):
        if getattr(raw, name) < 1:
            raise ValueError(f"{name} is 0")
    for name in ("frames_per_second", "picture_width", "picture_height"):
        if not 0 < getattr(raw, name) < math.inf:
            raise ValueError(f"{name} is {getattr(raw, name):g}")
    if not -math.inf < raw.score_low < raw.score_high < math.inf:
        raise ValueError(f"its scores go from {raw.score_low:g} to {raw.score_high:g}")


def _check_field(name: str, field: Any, raw: Any) -> None:
    if not name and field.count < 1:
        raise _too_many("field_count", raw.field_count)
    dtype = DType(field.dtype)
    end = field.offset + dtype.size(field.count)
    if not name or field.count < 1:
        raise ValueError(f"the field {name!r} has {field.count} elements")
    if end > raw.observation_bytes:
        raise ValueError(
            f"the field {name} ends at byte {end}, observation_bytes is {raw.observation_bytes}"
        )
    if field.classes > (MOST_CLASSES if dtype is DType.UINT8 else 0):
        raise ValueError(f"the field {name} has {field.classes} classes")
    columns = getattr(field, "columns", 0)
    if columns and field.count % columns:
        raise ValueError(f"the field {name} has {field.count} elements in {columns} columns")
    low, high = getattr(field, "low", 0.0), getattr(field, "high", 0.0)
    if (low, high) == (0, 0):
        return
    if not -math.inf < low < high < math.inf:
        raise ValueError(f"the field {name} goes from {low:g} to {high:g}")
    if field.classes:
        raise ValueError(f"the field {name} has classes, and low and high beside them")


def _check_action(name: str, action: Any, raw: Any) -> None:
    if not name and not action.choices:
        raise _too_many("action_count", raw.action_count)  # What lies behind a table is often zero.
    continuous = ActionKind(raw.action_kind) is ActionKind.CONTINUOUS
    if not action.choices or action.choice_count < 2 or (continuous and action.choice_count != 2):
        raise ValueError(f"the action {name!r} has {action.choice_count} choices")
    if action.neutral >= action.choice_count:
        raise ValueError(f"the action {name!r} rests at choice {action.neutral}")


def _check_parameter(name: str, parameter: Any) -> None:
    ParameterType(parameter.type)
    if not name or not parameter.low <= parameter.standard <= parameter.high:
        raise ValueError(f"the default of parameter {name!r} is not in its range")
