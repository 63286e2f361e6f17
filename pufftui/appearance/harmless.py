"""The one door for texts that were not written here: names, notes, tags, facts, words of an environment.

A file may be a stranger's, and what is in it must not move a cursor, change colours, ring a bell, or turn
the direction of reading. Whatever reaches a terminal comes through here: on screens in `PuffTheme`, on
plain terminals and in pipes as what `pufftui.__main__` puts before stdout and stderr.
"""

from __future__ import annotations

import re
import unicodedata

UNKNOWN = "\ufffd"
"""Stands for a sign that would do something other than be seen."""

OWN = re.compile(r"\x1b\[[\d;]*m|\r(?:\x1b\[K)?")
"""What pufftui itself writes to a plain terminal: colours, and a line over the one before."""


class _Visible(dict[int, str]):
    """What stands for a letter that cannot be printed, always one letter."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        if unicodedata.category(letter) == "Zs":
            shown = " "
        elif code < 0x20:
            shown = chr(0x2400 + code)  # the picture of that control letter
        else:
            shown = letter if letter.isprintable() else UNKNOWN
        self[code] = shown
        return shown


_VISIBLE = _Visible({0x7F: "\u2421"})


def harmless(text: str, *, lines: bool = False) -> str:
    """The text, of the same length, in letters that are only seen; line breaks are shown as ␊.

    `lines`: line breaks and tabs stay, where the text is a page of its own.
    """
    if text.isprintable():
        return text
    if lines:
        parts = re.split(r"([\n\t])", text)
        return "".join(part if part in "\n\t" else harmless(part) for part in parts)
    return text.translate(_VISIBLE)


def harmless_output(text: str) -> str:
    """What is written to a plain terminal or a pipe: without any escapes but our own colours."""
    if text.isprintable():
        return text
    kept = OWN.findall(text)
    plain = [harmless(part, lines=True) for part in OWN.split(text)]
    return "".join(a + b for a, b in zip(plain, [*kept, ""], strict=True))


def shortened(text: str, most: int) -> str:
    """A text on one line, of at most so many letters, the last of them an ellipsis if more are left out."""
    plain = harmless(text)
    return plain if len(plain) <= most else plain[: most - 1] + "…"
