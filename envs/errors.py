"""The one exception of the project that is meant for people."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class PuffError(Exception):
    """Something the user can mend: `message` says what is wrong, `hint` what to do about it."""

    def __init__(self, message: str, hint: str = "", *, usage: bool = False) -> None:
        super().__init__(f"{message} {hint}".strip())
        self.message = message
        self.hint = hint
        self.exit_status = 2 if usage else 1


def nearest(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """A hint that names the known word closest to `name`.

    If none is close it is `otherwise`, or a list of them all.
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {close[0]}?"
    return otherwise or (f"Known: {', '.join(names)}." if names else "")
