"""What each dashboard listens to, as data: bindings, help, footer and palette are made from these tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pufftui.keys.arena import GAME_KEYS
from pufftui.keys.charts import CHART_KEYS
from pufftui.keys.key import Key, rows
from pufftui.keys.screen import PANEL_KEYS, PRIVACY_KEY, SCREEN_KEYS, STREAM_KEY

TRAINING_KEYS = rows(
    "Training",
    """
    pause      | p                   | p      | pause training | pause or resume training                | training.pause      | 3
    checkpoint | c                   | c      | checkpoint     | write a checkpoint now                  | training.checkpoint | 4
    change     | e                   | e      | change setting | change a setting while training goes on | training.change     | 9
    undo       | E                   | E      | undo change    | change the last changed setting back    | training.undo       |
    alerts     | a                   | a      | alerts         | what the health checks have found       | alerts.list         | 11
    seen       | k                   | k      | seen           | mark the alerts that show as seen       | alerts.see_all      |
    note       | n                   | n      | note           | keep a note with the run            | training.note       | 10
    quit       | q                   | q      | quit           | stop training and leave; asks first     | quit                | 1
    leave      | ctrl+c ctrl+shift+c | ctrl+c | quit           | quit, even while you play           | leave               |    | while playing
    """,
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
