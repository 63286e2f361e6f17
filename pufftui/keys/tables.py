"""All keys as data: the bindings, the help, the footer and the palette are made from these tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from textual.binding import Binding, BindingType

from pufftui.envs.descriptor import TOGETHER, Descriptor
from pufftui.keys.arena import GAME_KEYS
from pufftui.keys.charts import CHART_KEYS
from pufftui.keys.key import Key

TRAINING_KEYS = (
    Key(
        "pause",
        ("p",),
        "p",
        "pause training",
        "pause training, or go on",
        "Training",
        "pause_training",
        3,
    ),
    Key(
        "checkpoint",
        ("c",),
        "c",
        "checkpoint",
        "write a checkpoint now",
        "Training",
        "checkpoint",
        4,
    ),
    Key(
        "change",
        ("e",),
        "e",
        "change setting",
        "change a setting while training goes on",
        "Training",
        "change_setting",
        9,
    ),
    Key(
        "undo",
        ("E",),
        "E",
        "undo change",
        "change the last changed setting back",
        "Training",
        "undo_change",
    ),
    Key(
        "alerts",
        ("a",),
        "a",
        "alerts",
        "what the health checks have found",
        "Training",
        "alerts",
        11,
    ),
    Key(
        "seen",
        ("k",),
        "k",
        "seen",
        "mark what calls as seen",
        "Training",
        "seen",
    ),
    Key("note", ("n",), "n", "note", "keep a sentence with the run", "Training", "note", 10),
    Key("quit", ("q",), "q", "quit", "stop training and leave; asks first", "Training", "quit", 1),
    Key(
        "leave",
        ("ctrl+c", "ctrl+shift+c"),
        "ctrl+c",
        "quit",
        "the same, also while you play",
        "Training",
        "leave",
        while_playing=True,
    ),
)

PANEL_KEYS = (
    Key("panel_1", ("1",), "1", "game", "the game alone", "Panels", "panel(1)"),
    Key("panel_2", ("2",), "2", "score", "the score curve alone", "Panels", "panel(2)"),
    Key(
        "panel_3", ("3",), "3", "learning", "speed and learning curves alone", "Panels", "panel(3)"
    ),
    Key("panel_4", ("4",), "4", "machine", "machine and time alone", "Panels", "panel(4)"),
    Key("panel_5", ("5",), "5", "log", "the log alone", "Panels", "panel(5)"),
    Key("panel_6", ("6",), "6", "charts", "charts of all metrics", "Panels", "panel(6)", 8),
    Key("panel_0", ("0",), "0", "all", "all panels that fit", "Panels", "panel(0)"),
)

SCREEN_KEYS = (
    Key("theme", ("t",), "t", "theme", "next colour theme", "Screen", "theme", 8),
    Key("palette", ("ctrl+p",), "ctrl+p", "commands", "search all commands", "Screen", "palette"),
    Key("help", ("question_mark", "f1"), "?", "keys", "this list", "Screen", "help", 1),
)

PRIVACY_KEY = Key(
    "privacy",
    ("v",),
    "v",
    "hide names",
    "hide names and paths; showing them asks",
    "Screen",
    "privacy",
    11,
)

STREAM_KEY = Key(
    "stream",
    ("s",),
    "s",
    "stream",
    "large figures for an audience, no names",
    "Screen",
    "stream",
    9,
)

KEYS = (
    *(*GAME_KEYS, *TRAINING_KEYS, *CHART_KEYS, *PANEL_KEYS),
    *(*SCREEN_KEYS, STREAM_KEY, PRIVACY_KEY),
)
"""What the dashboard listens to."""

TRAINING_ONLY = tuple(
    key for key in TRAINING_KEYS if key.id in {"pause", "checkpoint", "change", "undo", "note"}
)
"""What only those can do who train, or are attached to who does."""


def _play_keys() -> tuple[Key, ...]:
    """The dashboard's keys without training: nothing is lost, so leaving does not ask."""
    words: dict[str, dict[str, Any]] = {
        "pause_game": {"description": "stop the game, or go on"},
        "quit": {"description": "leave", "group": "Screen"},
        "leave": {"description": "leave, also while you play", "group": "Screen"},
        "panel_2": {"short": "figures", "description": "scores and policy alone"},
    }
    chosen = (*GAME_KEYS, *PANEL_KEYS, *SCREEN_KEYS, PRIVACY_KEY, *TRAINING_KEYS)
    without = {"panel_3", "panel_4", "panel_5", "panel_6", "alerts", "seen", "rival"}
    without |= {key.id for key in TRAINING_ONLY}
    return tuple(replace(key, **words.get(key.id, {})) for key in chosen if key.id not in without)


PLAY_KEYS = _play_keys()
"""What `pufftui play` listens to."""


COMPARE_KEYS = (
    Key(
        "previous_metric",
        ("left", "left_square_bracket"),
        "←",
        "metric",
        "the metric before",
        "Chart",
        "metric(-1)",
    ),
    Key(
        "next_metric",
        ("right", "right_square_bracket"),
        "→",
        "metric",
        "the next metric",
        "Chart",
        "metric(1)",
        2,
        "← →",
    ),
    Key(
        "axis",
        ("x",),
        "x",
        "axis",
        "steps, time, episodes or updates along the x axis",
        "Chart",
        "axis",
        3,
    ),
    Key(
        "grouping",
        ("g",),
        "g",
        "group",
        "seeds together, every run alone, or all as one",
        "Chart",
        "grouping",
        4,
    ),
    Key(
        "settings", ("d",), "d", "differences", "the settings that differ", "Tables", "settings", 5
    ),
    Key(
        "scroll_up", ("up", "k"), "↑", "scroll", "scroll the differences up", "Tables", "scroll(-1)"
    ),
    Key(
        "scroll_down",
        ("down", "j"),
        "↓",
        "scroll",
        "scroll the differences down",
        "Tables",
        "scroll(1)",
        6,
        "↑ ↓",
    ),
    *SCREEN_KEYS,
    PRIVACY_KEY,
    Key("quit", ("q", "ctrl+c"), "q", "leave", "leave; no run is touched", "Screen", "quit", 1),
)
"""What `pufftui runs compare` listens to."""


def _watch_keys() -> tuple[Key, ...]:
    """The dashboard's keys without those of training: leaving changes nothing, so it does not ask."""
    words: dict[str, dict[str, Any]] = {
        "pause_game": {"description": "stop the game, or go on"},
        "quit": {
            "short": "leave",
            "description": "leave; the run is not touched",
            "group": "Screen",
        },
        "leave": {"short": "leave", "group": "Screen"},
    }
    without = {key.id for key in TRAINING_ONLY}
    return tuple(replace(key, **words.get(key.id, {})) for key in KEYS if key.id not in without)


WATCH_KEYS = _watch_keys()
"""What `pufftui watch` listens to."""


def _logged_keys() -> tuple[Key, ...]:
    """The keys for a run without a game: all of it is charts."""
    words: dict[str, dict[str, Any]] = {
        "panel_1": {"short": "charts", "description": "the charts alone"},
        "panel_4": {"description": "the machine alone"},
        "next_page": {"footer": 2},
        "filter": {"footer": 3},
    }
    without = {*(key.id for key in GAME_KEYS), "panel_2", "panel_3", "panel_6", "alerts", "seen"}
    without |= {"earlier", "stream"}
    kept = (replace(key, **words.get(key.id, {})) for key in WATCH_KEYS if key.id not in without)
    return tuple(kept)


LOGGED_KEYS = _logged_keys()
"""What `pufftui watch` listens to at a run that another program logs."""


def _attach_keys() -> tuple[Key, ...]:
    """All of the dashboard's keys; leaving asks whether the run goes on."""
    words: dict[str, dict[str, Any]] = {
        "quit": {"short": "leave", "description": "leave, or stop the run; asks which"},
        "leave": {"short": "leave"},
    }
    return tuple(replace(key, **words.get(key.id, {})) for key in KEYS)


ATTACH_KEYS = _attach_keys()
"""What `pufftui attach` listens to."""


def bindings(keys: tuple[Key, ...]) -> list[BindingType]:
    """The keys as Textual binds them."""
    # Textual itself has plans for escape and ctrl+c; priority takes them from it.
    return [
        Binding(
            ",".join(key.keys),
            key.action,
            key.description,
            show=False,
            id=key.id,
            priority=key.while_playing,
        )
        for key in keys
    ]


ARROWS = {"left": "←", "right": "→", "up": "↑", "down": "↓"}


def key_name(key: str) -> str:
    """A key as it is printed, or several held together: ← for left."""
    return TOGETHER.join(ARROWS.get(part, part) for part in key.split(TOGETHER))


def game_keys(descriptor: Descriptor) -> dict[str, str]:
    """Every key the game listens to and the label of what it chooses."""
    return {
        key: choice.label
        for action in descriptor.actions
        for choice in action.choices
        for key in choice.single_keys
    }


def game_parts(descriptor: Descriptor) -> dict[str, int]:
    """Every key the game listens to and which part of the action it chooses for."""
    return {
        key: part
        for part, action in enumerate(descriptor.actions)
        for choice in action.choices
        for key in choice.single_keys
    }


def game_hints(descriptor: Descriptor) -> list[tuple[str, str]]:
    """The game's keys for banner and footer: (keys, label), arrows before letters."""
    return [
        (key_name(choice.single_keys[0]), choice.label)
        for action in descriptor.actions
        for choice in action.choices
        if choice.single_keys
    ]


def game_key(known: dict[str, str], key: str, character: str | None) -> str | None:
    """The game's name of a pressed key, or None if the game does not listen to it."""
    if key in known:
        return key
    if character and character.lower() in known:
        return character.lower()
    return None
