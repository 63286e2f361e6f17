"""Textual's private parts are touched in few places, so that a new version of it breaks few."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import textual

ROOT = Path(__file__).parents[3]
PLACES = ("pufftui/terminal/", "pufftui/keys/kitty.py", "pufftui/screens/palette.py")
"""What may touch them, each file for reasons that it gives."""

HEARTS = ("app", "screen", "widget", "dom", "message_pump", "driver", "command")
"""Modules of Textual whose classes ours are made from."""


def private_names() -> set[str]:
    """The private attributes and methods of Textual's applications, screens, widgets and drivers."""
    folder = Path(textual.__file__).parent
    source = "\n".join((folder / f"{name}.py").read_text(encoding="utf-8") for name in HEARTS)
    return set(re.findall(r"(?:self\.|def )(_[a-z]\w*)", source))


def touched(source: Path, private: set[str]) -> Iterator[str]:
    """Names of those that a file's classes for Textual use, and of what it takes from others."""
    module = importlib.import_module(".".join(source.relative_to(ROOT).with_suffix("").parts))
    tree = ast.parse(source.read_text(encoding="utf-8"))
    yield from (name for node in ast.walk(tree) for name in of_others(node) if name in private)
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and is_for_textual(getattr(module, node.name)):
            yield from (name for part in ast.walk(node) for name in own(part) if name in private)


def of_others(node: ast.AST) -> Iterator[str]:
    """What a part of a file takes from `x.app` or `x.screen`."""
    value = node.value if isinstance(node, ast.Attribute) else None
    if isinstance(value, ast.Attribute) and value.attr in {"app", "screen"}:
        yield node.attr


def own(node: ast.AST) -> Iterator[str]:
    """What a part of a class defines, or uses of itself or of its application."""
    value = node.value if isinstance(node, ast.Attribute) else None
    if isinstance(node, ast.FunctionDef):
        yield node.name
    elif isinstance(value, ast.Name) and value.id in {"self", "app"}:
        yield node.attr


def is_for_textual(kind: type) -> bool:
    """Whether a class is made from one of Textual's."""
    return any(base.__module__.startswith("textual.") for base in kind.__mro__)


def test_private_parts_are_touched_where_it_is_said() -> None:
    private = private_names()
    assert {"_driver", "_handle_exception", "_compositor"} <= private
    found = {}
    for source in sorted((ROOT / "pufftui").rglob("*.py")):
        place = str(source.relative_to(ROOT))
        if not place.startswith(PLACES) and source.name != "__main__.py":
            names = sorted(set(touched(source, private)))
            if names:
                found[place] = names
    assert found == {}


def test_the_places_do_touch_them() -> None:
    private = private_names()
    for place in ("pufftui/terminal/crash.py", "pufftui/screens/palette.py"):
        assert list(touched(ROOT / place, private)), place
