"""The keys that concern the screen itself, the same wherever there are panels."""

from __future__ import annotations

from pufftui.keys.key import rows

PANEL_KEYS = rows(
    "Panels",
    """
    panel_1 | 1 | 1 | game     | the game alone                  | panel(1) |
    panel_2 | 2 | 2 | score    | the score curve alone           | panel(2) |
    panel_3 | 3 | 3 | learning | speed and learning curves alone | panel(3) |
    panel_4 | 4 | 4 | machine  | machine and time alone          | panel(4) |
    panel_5 | 5 | 5 | log      | the log alone                   | panel(5) |
    panel_6 | 6 | 6 | charts   | charts of all metrics           | panel(6) | 8
    panel_0 | 0 | 0 | all      | all panels that fit             | panel(0) |
    """,
)

SCREEN_KEYS = rows(
    "Screen",
    """
    theme   | t                | t      | theme    | next colour theme   | theme   | 8
    palette | ctrl+p           | ctrl+p | commands | search all commands | palette |
    suspend | ctrl+z           | ctrl+z | shell    | to the shell; fg comes back | suspend |
    help    | question_mark f1 | ?      | keys     | this list           | help    | 1
    """,
)

PRIVACY_KEY, STREAM_KEY = rows(
    "Screen",
    """
    privacy | v | v | hide names | hide names and paths; asks to show them | privacy       | 11
    stream  | s | s | stream     | large figures for an audience, no names | stream.toggle | 9
    """,
)
