"""Messages that lie over the screen for a while, and that Textual puts one above the other."""

from __future__ import annotations

import threading
from typing import Any

from textual.app import App


def forget_earlier(app: App[Any], title: str, severity: str) -> None:
    """Takes away messages of this title and severity: a later one says the same of now. From other threads nothing."""
    if not title or app._thread_id != threading.get_ident():  # noqa: SLF001
        return
    for earlier in list(app._notifications):  # noqa: SLF001
        if (earlier.title, earlier.severity) == (title, severity):
            app._unnotify(earlier)  # noqa: SLF001
