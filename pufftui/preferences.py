"""What a person prefers on the screen, kept from one day to the next in the folder of their settings."""

from __future__ import annotations

import contextlib
import json
import os
import tomllib
from pathlib import Path
from typing import Any

FILE = "screen.toml"


def preference_folder() -> Path:
    """`$XDG_CONFIG_HOME/pufftui`, else `~/.config/pufftui`."""
    root = os.environ.get("XDG_CONFIG_HOME")
    return (Path(root) if root else Path.home() / ".config") / "pufftui"


def kept(table: str) -> dict[str, Any]:
    """A table of preferences; empty if nothing was kept or the file cannot be read."""
    found = _read().get(table)
    return found if isinstance(found, dict) else {}


def keep(table: str, values: dict[str, Any]) -> None:
    """Keeps a table of texts, whole numbers, truths, and lists of texts; the others stay.

    What cannot be written is not kept, without a word: it is only how things look.
    """
    tables = {**_read(), table: values}
    text = "# Written by the dashboard.\n"
    for name, entries in tables.items():
        if isinstance(entries, dict):
            lines = [f"{key} = {json.dumps(value)}" for key, value in entries.items()]
            text += "\n".join(["", f"[{name}]", *lines, ""])
    file = preference_folder() / FILE
    partial = file.with_name(f".{FILE}.{os.getpid()}")
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        partial.replace(file)


def _read() -> dict[str, Any]:
    try:
        return tomllib.loads((preference_folder() / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
