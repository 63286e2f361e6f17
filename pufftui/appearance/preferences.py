"""What a person prefers on the screen, kept from one day to the next in the folder of their settings."""

from __future__ import annotations

import contextlib
import json
import math
import re
import tempfile
import tomllib
from collections.abc import Mapping
from datetime import date, time
from pathlib import Path
from typing import Any

from pufftui.envs.places import own_folder

FILE = "screen.toml"
BARE = re.compile(r"[A-Za-z0-9_-]+")
"""Keys that TOML takes without quotes."""


def preference_folder() -> Path:
    """Where a person keeps what is theirs: settings, themes, preferences."""
    return own_folder("XDG_CONFIG_HOME", ".config")


def kept(table: str) -> dict[str, Any]:
    """A table of preferences; empty if nothing was kept or the file cannot be read."""
    found = _read().get(table)
    return found if isinstance(found, dict) else {}


def keep(table: str, values: Mapping[str, Any]) -> None:
    """Keeps a table; the others stay. The file is replaced whole.

    What cannot be written is not kept, without a word: it is only how things look.
    """
    file = preference_folder() / FILE
    text = "# Written by the dashboard.\n\n" + to_toml({**_read(), table: values})
    partial: Path | None = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=file.parent, prefix=f".{FILE}-", delete=False, encoding="utf-8"
        ) as new:
            partial = Path(new.name)
            new.write(text)
        partial.replace(file)
    except OSError:
        if partial is not None:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)


def to_toml(tables: Mapping[str, Any]) -> str:
    """A TOML file of these values; plain ones first, for what follows a heading belongs to it."""
    plain = {key: value for key, value in tables.items() if not isinstance(value, Mapping)}
    lines = [f"{_key(key)} = {_value(value)}" for key, value in plain.items()]
    for key, table in tables.items():
        if isinstance(table, Mapping):
            entries = [f"{_key(name)} = {_value(value)}" for name, value in table.items()]
            lines += [*([""] if lines else []), f"[{_key(key)}]", *entries]
    return "\n".join(lines) + "\n"


def _read() -> dict[str, Any]:
    try:
        return tomllib.loads((preference_folder() / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _key(name: str) -> str:
    return name if BARE.fullmatch(name) else _value(name)


def _value(value: Any) -> str:
    match value:
        case bool() | str():
            # TOML escapes as JSON does, and DEL besides.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case float() if not math.isfinite(value):
            return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
        case int() | float():
            return repr(value)
        case date() | time():
            return value.isoformat()
        case Mapping():
            return f"{{ {', '.join(f'{_key(k)} = {_value(v)}' for k, v in value.items())} }}"
        case list() | tuple():
            return f"[{', '.join(_value(one) for one in value)}]"
    raise TypeError(f"{value!r} has no place in TOML")
