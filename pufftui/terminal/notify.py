"""Calls a person who looks elsewhere: the terminal's bell, and a notification of the desktop.

Both go through the terminal, so they also work over ssh.
"""

from __future__ import annotations

import os
import re

BELL = "\a"
MOST = 200
"""Characters of a notification."""

UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f;]")


def desktop(title: str, text: str) -> str:
    """The control sequence with which a terminal shows a notification; empty where none does.

    There are two in use: OSC 777 (VTE, foot, urxvt) and OSC 9 (iTerm2, kitty, WezTerm, Ghostty, Windows
    Terminal). Terminals that know neither ignore them.
    """
    terminal = os.environ.get("TERM", "")
    if terminal in ("", "dumb", "linux") or "TMUX" in os.environ or terminal.startswith("screen"):
        return ""
    title, text = (UNSAFE.sub(" ", words)[:MOST] for words in (title, text))
    if "VTE_VERSION" in os.environ or terminal.startswith(("foot", "rxvt")):
        return f"\x1b]777;notify;{title};{text}\x1b\\"
    return f"\x1b]9;{title}: {text}\x1b\\"
