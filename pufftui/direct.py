"""The short way to the terminal, for what changes thirty times a second.

Textual composes every change with all widgets that might overlap it, which takes longer than
drawing the game. Where nothing overlaps, the same bytes can be written at once. This is the only
file that uses what Textual does not promise to keep; where anything is missing, `write_rows`
declines and its caller refreshes the usual way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.app import App
from textual.strip import Strip
from textual.widget import Widget

BEGIN, END = "\x1b[?2026h", "\x1b[?2026l"
"""Between these the terminal shows nothing half-drawn, if it knows them."""


def write_control(app: App[Any], sequence: str) -> None:
    """Writes a control sequence that changes nothing on the screen, such as the bell."""
    driver = app._driver  # noqa: SLF001
    if driver is not None and not app.is_headless:
        driver.write(sequence)


def write_rows(widget: Widget, rows: Mapping[int, Strip]) -> bool:
    """Writes rows of a widget, each as wide as the widget; False if that would not be right.

    It is right if the widget is shown, its screen is on top, no message covers it, and no filter
    is at work.
    """
    if not widget.is_attached:
        return False
    app = widget.app
    driver = app._driver  # noqa: SLF001
    covered = widget.screen is not app.screen or len(app._notifications) > 0  # noqa: SLF001
    if driver is None or covered or app.is_headless or app.no_color or app._batch_count:  # noqa: SLF001
        return False
    place = widget.region
    if not place.area:
        return False
    parts = [
        f"\x1b[{place.y + row + 1};{place.x + 1}H{strip.render(app.console)}"
        for row, strip in rows.items()
    ]
    if app._sync_available:  # noqa: SLF001
        parts = [BEGIN, *parts, END]
    driver.write("".join(parts))
    return True
