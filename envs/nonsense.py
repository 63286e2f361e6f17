"""Refuses declarations with which nothing could work, before anybody relies on them."""

from __future__ import annotations

import math
from typing import Any

from pufftui.envs.descriptor import ActionKind, DType, ParameterType

FUNCTIONS = ("state_size", "init", "reset", "step", "draw")
MOST_CLASSES = 256
MOST_STATISTICS = 10


def refuse_nonsense(ffi: Any, raw: Any) -> None:
    """Raises `ValueError` with one clause that says what is wrong with a `puff_descriptor`."""
    _check_tables(raw)
    _check_figures(raw)

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
    if raw.statistic_count > MOST_STATISTICS:
        raise ValueError(f"it has {raw.statistic_count} statistics, {MOST_STATISTICS} are allowed")


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
    dtype = DType(field.dtype)
    end = field.offset + field.count * dtype.itemsize
    if not name or field.count < 1:
        raise ValueError(f"the field {name!r} has {field.count} elements")
    if end > raw.observation_bytes:
        raise ValueError(
            f"the field {name} ends at byte {end}, observation_bytes is {raw.observation_bytes}"
        )
    if field.classes > (MOST_CLASSES if dtype is DType.UINT8 else 0):
        raise ValueError(f"the field {name} has {field.classes} classes")


def _check_action(name: str, action: Any, raw: Any) -> None:
    continuous = ActionKind(raw.action_kind) is ActionKind.CONTINUOUS
    if not action.choices or action.choice_count < 2 or (continuous and action.choice_count != 2):
        raise ValueError(f"the action {name!r} has {action.choice_count} choices")
    if action.neutral >= action.choice_count:
        raise ValueError(f"the action {name!r} rests at choice {action.neutral}")


def _check_parameter(name: str, parameter: Any) -> None:
    ParameterType(parameter.type)
    if not name or not parameter.low <= parameter.standard <= parameter.high:
        raise ValueError(f"the default of parameter {name!r} is not in its range")
