"""The keys of the home screen."""

from __future__ import annotations

from pufftui.keys.key import rows
from pufftui.keys.screen import PRIVACY_KEY

CHOOSING = rows(
    "Home",
    """
    previous   | up k                     | ↑     | choose | the one above                               | move(-1)   |
    next       | down j                   | ↓     | choose | the one below                               | move(1)    | 5 ↑ ↓
    other_list | tab left right shift+tab | tab   | runs   | from the environments to the runs, and back | other_list | 4
    go         | enter                    | enter | train  | train a new agent; on a run: look at it     | go         | 1
    play       | p                        | p     | play   | play it yourself, beside its newest policy  | play       | 2
    resume     | r                        | r     | resume | continue the run, or the newest one  | resume     | 3
    """,
)

LOOKING = rows(
    "Screen",
    """
    theme   | t                | t      | theme    | next colour theme   | theme   | 6
    palette | ctrl+p           | ctrl+p | commands | search all commands | palette |
    suspend | ctrl+z           | ctrl+z | shell    | to the shell; fg comes back | suspend |
    help    | question_mark f1 | ?      | keys     | this list           | help    | 7
    quit    | q escape ctrl+c  | q      | quit     | leave               | quit    | 1
    """,
)

HOME_KEYS = (*CHOOSING, LOOKING[0], PRIVACY_KEY, *LOOKING[1:])
"""What the home screen listens to."""
