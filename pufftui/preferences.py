"""What a person has chosen on the screen, kept for the next time in one small file of tables."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import tempfile
import tomllib
from collections.abc import Mapping
from datetime import date, time
from pathlib import Path
from typing import Any

from pufftui.envs.errors import PuffError

NAME = "screen.toml"
BARE = re.compile(r"[A-Za-z0-9_-]+")
"""Keys that TOML takes without quotes."""


def config_folder() -> Path:
    """Where a person keeps what is theirs: settings, themes, choices."""
    folder = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(folder).expanduser() / "pufftui"


def chosen(table: str) -> dict[str, Any]:
    """What was kept under the name of a table; nothing if the file is missing or broken."""
    with contextlib.suppress(PuffError):
        found = _read().get(table)
        return found if isinstance(found, dict) else {}
    return {}


def choose(table: str, **values: Any) -> None:
    """Keeps values in a table; None takes one away. What else is in the file stays as it is.

    The file is replaced whole. Raises `PuffError` if it cannot be read or written.
    """
    tables = _read()
    before = tables.get(table)
    entries = (before if isinstance(before, dict) else {}) | values
    tables[table] = {key: value for key, value in entries.items() if value is not None}
    _write(to_toml(tables))


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
    file = config_folder() / NAME
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise PuffError(f"{file} cannot be read ({error}).", "Mend it, or delete it.") from None


def _write(text: str) -> None:
    file = config_folder() / NAME
    partial: Path | None = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=file.parent, prefix=f".{NAME}-", delete=False, encoding="utf-8"
        ) as new:
            partial = Path(new.name)
            new.write(text)
        partial.replace(file)
    except OSError as error:
        if partial is not None:
            partial.unlink(missing_ok=True)
        raise PuffError(f"{file} cannot be written ({error.strerror}).") from None


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
