"""Messages that stay a while: as few rows as they need, just above the keys, and commands in one piece.

This file relies on how Textual makes its toasts: the rack asks its own module for them.
"""

from __future__ import annotations

from textual.content import Content
from textual.widgets import _toast

from pufftui.appearance.format import cells, cut

COMMAND = "pufftui"
"""Begins what a person may want to copy, up to the end of the sentence."""

BESIDE = 3
"""Columns of the frame and of the space at both sides."""

AFTER_TITLE = "  "


class Notice(_toast.Toast):
    """One message. It is broken into lines anew wherever it is drawn."""

    def render(self) -> Content:
        notice = self._notification
        title = notice.title.strip()
        lines = message_lines(title, notice.message.strip(), self.app.size.width - BESIDE)
        content = Content("\n".join(lines))
        if title and lines[0].startswith(title):
            content = content.stylize(self.get_visual_style("toast--title"), 0, len(title))
        return content


def replace_toasts() -> None:
    """From now on messages are shown so."""
    _toast.Toast = Notice  # type: ignore[misc]


def message_lines(title: str, message: str, width: int) -> list[str]:
    """Title and message as lines of at most `width` cells, at least one cell.

    A command stays in one line, its own if need be, as long as it fits into any.
    """
    width = max(width, 1)
    lines: list[str] = []
    for at, paragraph in enumerate(message.split("\n")):
        pieces = _pieces(paragraph)
        line, gap = (title, AFTER_TITLE) if at == 0 and title else ("", "")
        for piece in pieces:
            if line and cells(line) + len(gap) + cells(piece) > width:
                lines += _cut_up(line, width)
                line, gap = "", ""
            line, gap = line + gap + piece, " "
        lines += _cut_up(line, width)
    return lines


def _pieces(text: str) -> list[str]:
    """Words, and commands with all of theirs."""
    pieces: list[str] = []
    inside = False
    for word in text.split():
        if inside:
            pieces[-1] += f" {word}"
        else:
            pieces.append(word)
        inside = (inside or word == COMMAND) and word[-1] not in ".,;:)"
    return pieces


def _cut_up(line: str, width: int) -> list[str]:
    """A line that is too long, for it is a single piece, in several."""
    lines = []
    while cells(line) > width:
        head = cut(line, width)
        space = head.rfind(" ")
        head = head[:space] if space > 0 else head.rstrip(" ") or line[:1]
        lines.append(head)
        line = line[len(head) :].lstrip()
    return [*lines, line]
