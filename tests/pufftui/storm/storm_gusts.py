"""What a storm is made of: sizes of a window, and what a terminal sends for keys and the mouse."""

from __future__ import annotations

import random

from pufftui.keys.compare import COMPARE_KEYS
from pufftui.keys.home import HOME_KEYS
from pufftui.keys.tables import ATTACH_KEYS, KEYS, LOGGED_KEYS, PLAY_KEYS, WATCH_KEYS

MOST = (300, 80)
EDGES = [(1, 1), (2, 2), (59, 18), (60, 17), (60, 18), (61, 19), (80, 24), (99, 30), (100, 29)]
EDGES += [(100, 30), (120, 40), (200, 60), (60, 80), (300, 18), (1, 80), (300, 1), MOST]

SEQUENCES = {
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "delete": "\x1b[3~",
    "insert": "\x1b[2~",
    "f1": "\x1bOP",
    "escape": "\x1b[27u",
    "enter": "\r",
    "tab": "\t",
    "shift+tab": "\x1b[Z",
    "backspace": "\x7f",
    "space": " ",
    "shift+left": "\x1b[1;2D",
    "shift+right": "\x1b[1;2C",
    "shift+up": "\x1b[1;2A",
    "shift+down": "\x1b[1;2B",
}
SIGNS = {
    "question_mark": "?",
    "slash": "/",
    "comma": ",",
    "full_stop": ".",
    "minus": "-",
    "plus": "+",
    "equals_sign": "=",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "underscore": "_",
    "colon": ":",
    "semicolon": ";",
    "asterisk": "*",
    "number_sign": "#",
    "vertical_line": "|",
    "backslash": "\\",
}
TABLES = (KEYS, WATCH_KEYS, ATTACH_KEYS, LOGGED_KEYS, PLAY_KEYS, COMPARE_KEYS, HOME_KEYS)
LEAVING = {"q", "ctrl+c", "ctrl+q"}
"""Keys that come seldom, or nothing else would be seen."""

ODD = [
    *(
        "é",
        "語",
        "🐡",
        "\x01",
        "\x10",
        "\x1a",
        "\x1b[57441;1:1u",
        "\x1b[57441;1:3u",
        "\x1b[97;1:3u",
    ),
    *("\x1b[?10u", "\x1b[?0u", "\x1b[99;5u", "\x1b[1114112u", "\x1b[15~", "\x1b[24~", "\x1b[1;3C"),
]

PASTED = ["1e-3", "loss*", "x" * 300, "two\nlines"]


def size(chance: random.Random) -> tuple[int, int]:
    """Width and height of a window; the borders of layouts come often."""
    match chance.randrange(5):
        case 0:
            return chance.choice(EDGES)
        case 1:
            return chance.randint(1, 70), chance.randint(1, 24)
        case _:
            return chance.randint(1, MOST[0]), chance.randint(1, MOST[1])


def sequence(key: str) -> str:
    """What a terminal sends for a key by its name."""
    if key in SEQUENCES:
        return SEQUENCES[key]
    if key.startswith("ctrl+") and len(key) == 6:
        return chr(ord(key[5]) - 96)
    return SIGNS.get(key, key if len(key) == 1 else " ")


_known = sorted({key for table in TABLES for row in table for key in row.keys} - LEAVING)
KNOWN = [sequence(key) for key in _known]
"""All keys that some screen listens to."""


def gust(chance: random.Random, window: tuple[int, int]) -> tuple[str, str]:
    """One thing that comes from the terminal: what it is, and how it is sent."""
    what = chance.randrange(100)
    if what < 70:
        return "key", _key(chance)
    if what < 98:
        return "mouse", _mouse(chance, window)
    if what < 99:
        return "focus", chance.choice(["\x1b[I", "\x1b[O"])
    return "paste", f"\x1b[200~{chance.choice(PASTED)}\x1b[201~"


def _key(chance: random.Random) -> str:
    what = chance.randrange(1000)
    if what < 800:
        return chance.choice(KNOWN)
    if what < 850:
        return SEQUENCES["escape"]
    if what < 950:
        return chr(chance.randint(32, 126)) if chance.random() < 0.9 else chance.choice(ODD)
    if what < 998:
        return chance.choice([SEQUENCES["enter"], SEQUENCES["tab"], "1", "2", "3", "4", "5", "6"])
    return sequence(chance.choice(sorted(LEAVING)))


def _mouse(chance: random.Random, window: tuple[int, int]) -> str:
    x, y = chance.randint(1, window[0]), chance.randint(1, window[1])
    match chance.randrange(6):
        case 0 | 1:
            return f"\x1b[<35;{x};{y}M"
        case 2:
            return f"\x1b[<{chance.choice([64, 65])};{x};{y}M"
        case 3:
            return f"\x1b[<{chance.choice([32, 2, 1, 34])};{x};{y}M"
        case _:
            button = chance.choice([0, 0, 0, 2])
            return f"\x1b[<{button};{x};{y}M\x1b[<{button};{x};{y}m"
