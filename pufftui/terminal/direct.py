"""The short way to the terminal, for what changes thirty times a second.

Textual composes every change with all widgets around it that might overlap it, which takes longer
than drawing the game. Where nothing overlaps, the same bytes can be written at once. This file uses
what Textual does not promise to keep; where anything is missing, `place_of` gives no place and its
caller refreshes the usual way.
"""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

BEGIN, END = "\x1b[?2026h", "\x1b[?2026l"
"""Between these the terminal shows nothing half-drawn, if it knows them."""


def write_control(app: App[Any], sequence: str) -> None:
    """Writes a control sequence that changes nothing on the screen, such as the bell."""
    driver = app._driver  # noqa: SLF001
    if driver is not None and not app.is_headless:
        driver.write(sequence)


def place_of(widget: Widget) -> Region | None:
    """Where on the screen a widget may be written to at once; None where that would not be right.

    It is right if the widget is shown, its screen is on top, no message covers it, and no filter
    is at work.
    """
    if not widget.is_attached:
        return None
    app = widget.app
    covered = widget.screen is not app.screen or len(app._notifications) > 0  # noqa: SLF001
    if app._driver is None or covered or app.is_headless or app.no_color or app._batch_count:  # noqa: SLF001
        return None
    place: Region = widget.region
    return place if place.area and app.size.region.contains_region(place) else None


def rendered(app: App[Any], strip: Strip, column: int, row: int) -> str:
    """What to write so that a strip stands at that place of the screen."""
    return f"\x1b[{row + 1};{column + 1}H{strip.render(app.console)}"


def write_at_once(app: App[Any], parts: list[str]) -> None:
    """Writes what belongs together, so that nobody sees half of it."""
    driver = app._driver  # noqa: SLF001
    if driver is not None and any(parts):
        if app._sync_available:  # noqa: SLF001
            parts = [BEGIN, *parts, END]
        driver.write("".join(parts))
