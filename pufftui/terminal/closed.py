"""Lets go of what closed dialogs have drawn.

Textual 8.2 remembers the last 1024 mixtures of two colours together with the widget that asked for
them, and so keeps every line that closed dialogs and messages have shown: some 40 MB after an hour
in which somebody looks around.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

from textual._styles_cache import StylesCache


def forget_closed_widgets() -> None:
    """Remembers mixtures by their colours alone. Once for the process; more often does no harm."""
    remembered: Any = vars(StylesCache).get("get_inner_outer")
    mix = getattr(remembered, "__wrapped__", None)
    if mix is not None and not isinstance(remembered, staticmethod):
        by_colours = lru_cache(1024)(partial(mix, StylesCache))
        StylesCache.get_inner_outer = staticmethod(by_colours)  # type: ignore[assignment]
