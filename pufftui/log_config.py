"""The settings of a stranger's training script as the `config.toml` of its run."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

DEEPEST = 20


def log_config(program: str, config: object) -> str:
    """The text of `config.toml`: the table `log` marks the run, `config` has the settings.

    `config` is a mapping or anything with attributes, such as what argparse returns. Values that
    TOML does not know are written as texts. Raises `ValueError` for what cannot be written at all.
    """
    lines = ["# Written by pufftui.log", "[log]", f"program = {_text(program)}", "", "[config]"]
    lines += [f"{key} = {value}" for key, value in _settings(config, 0)]
    text = "\n".join(lines) + "\n"
    tomllib.loads(text)
    return text


def _settings(config: object, depth: int) -> Iterator[tuple[str, str]]:
    if depth > DEEPEST:
        raise ValueError("its tables are too deep")
    table = config if isinstance(config, Mapping) else vars(config)
    for name, value in {str(name): value for name, value in table.items()}.items():
        if isinstance(value, Mapping):
            yield from (
                (f"{_text(name)}.{key}", inner) for key, inner in _settings(value, depth + 1)
            )
        elif value is not None:
            yield _text(name), _value(value, depth + 1)


def _value(value: Any, depth: int) -> str:
    if depth > DEEPEST:
        raise ValueError("its lists are too deep")
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
    clean = text.encode("utf-8", "replace").decode("utf-8")
    return json.dumps(clean, ensure_ascii=False).replace("\x7f", "\\u007f")
