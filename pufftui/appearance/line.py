"""What everything is drawn as."""

from __future__ import annotations

from rich.style import Style

Line = list[tuple[str, Style]]
"""One line of the screen: stretches of text, each in one style."""
