"""The keys of the home screen."""

from __future__ import annotations

from pufftui.keys.key import Key
from pufftui.keys.tables import PRIVACY_KEY

# fmt: off
# They read as a table: one key, one line.
HOME_KEYS = (
    Key("previous", ("up", "k"), "↑", "choose", "the one above", "Home", "move(-1)"),
    Key("next", ("down", "j"), "↓", "choose", "the one below", "Home", "move(1)", 5, "↑ ↓"),
    Key("other_list", ("tab", "left", "right", "shift+tab"), "tab", "runs", "from the environments to the runs, and back", "Home", "other_list", 4),
    Key("go", ("enter",), "enter", "train", "train a new agent; of a run: look at it", "Home", "go", 1),
    Key("play", ("p",), "p", "play", "play it yourself, beside its newest policy", "Home", "play", 2),
    Key("resume", ("r",), "r", "resume", "go on with the run, or with the newest one", "Home", "resume", 3),
    Key("theme", ("t",), "t", "theme", "next colour theme", "Screen", "theme", 6),
    PRIVACY_KEY,
    Key("palette", ("ctrl+p",), "ctrl+p", "commands", "search all commands", "Screen", "palette"),
    Key("help", ("question_mark", "f1"), "?", "keys", "this list", "Screen", "help", 7),
    Key("quit", ("q", "escape", "ctrl+c"), "q", "quit", "leave", "Screen", "quit", 1),
)
# fmt: on
