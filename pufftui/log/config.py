"""The settings of a stranger's training script as the `config.toml` of its run."""

from __future__ import annotations

import argparse
import enum
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pufftui.log.values import plain, table_of
from pufftui.trainer.store import storable

DEEPEST = 20

LONGEST = 100
"""Numbers of an array that are written one by one; of a longer one its text, which numpy shortens."""


LeftOut = Callable[[str, Exception], None]
"""Hears the name of a setting that cannot be written, and why."""


def log_config(program: str, config: object, left_out: LeftOut) -> str:
    """The text of `config.toml`: the table `log` marks the run, `config` has the settings.

    `config` is a mapping, a dataclass or anything with attributes, such as what argparse returns;
    so may be what is in it. Numbers and small arrays of numpy and torch are numbers and lists. What
    TOML does not know, None among it, is written as text, and what cannot be written is left out.
    Raises if `config` is neither, `ValueError` if it is too deep.
    """
    lines = ["# Written by pufftui.log", "[log]", f"program = {_text(program)}", "", "[config]"]
    lines += [f"{key} = {value}" for key, value in _settings(config, 0, left_out)]
    text = "\n".join(lines) + "\n"
    tomllib.loads(text)
    return text


def _settings(config: object, depth: int, left_out: LeftOut) -> Iterator[tuple[str, str]]:
    if depth > DEEPEST:
        raise ValueError("its tables are too deep")
    table = table_of(config)
    if table is None:
        table = vars(config)
    for name, value in _named(table, left_out).items():
        if isinstance(value, argparse.Namespace) or table_of(value) is not None:
            inner = _settings(value, depth + 1, left_out)
            yield from ((f"{_text(name)}.{key}", setting) for key, setting in inner)
        else:
            try:
                setting = _value(value, depth + 1)
            except Exception as error:  # noqa: BLE001 - a stranger's object may raise anything
                left_out(name, error)
            else:
                yield _text(name), setting


def _named(table: Mapping[Any, Any], left_out: LeftOut) -> dict[str, Any]:
    """The table with texts for keys, as TOML wants them."""
    named = {}
    for key, value in table.items():
        try:
            named[str(key)] = value
        except Exception as error:  # noqa: BLE001 - a stranger's object may raise anything
            left_out(f"a {type(key).__name__}", error)
    return named


def _value(value: Any, depth: int) -> str:
    if depth > DEEPEST:
        raise ValueError("its lists are too deep")
    value = plain(value)
    if isinstance(value, enum.Enum) and isinstance(value.value, (int, float, str)):
        value = value.value
    if hasattr(value, "tolist") and 0 < getattr(value, "size", 0) <= LONGEST:
        value = value.tolist()
    if isinstance(value, (set, frozenset)):
        value = sorted(value, key=str)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return str(int(value))
    if isinstance(value, float):
        return repr(float(value))
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_value(entry, depth + 1) for entry in value)}]"
    return _text(str(value))


def _text(text: str) -> str:
    """A TOML string; JSON's escapes are TOML's too."""
    return json.dumps(storable(text), ensure_ascii=False).replace("\x7f", "\\u007f")
