"""The keys of a game that is watched, as data: every screen with an arena has them."""

from __future__ import annotations

from pufftui.keys.key import rows

PLAYER_KEYS = rows(
    "Game",
    """
    take_over | m                   | m   | take over | play the watched agent yourself          | player.take_over | 2
    hand_back | escape shift+escape | esc | hand back | give the agent back to its policy        | player.hand_back |    | while playing
    view      | backspace           | backspace | view      | another view of the game, where it has some | arena.view     |    | while playing
    record    | R                   | R   | record    | record a demonstration; again to keep it | arena.record     | 13
    """,
)

AGENT_KEYS = rows(
    "Agents",
    """
    previous_agent | left_square_bracket  | [ | previous agent   | watch the previous agent                    | arena.agent(-1)    |
    next_agent     | right_square_bracket | ] | agent            | watch the next agent, or click on one     | arena.agent(1)     | 6 [ ]
    agent_number   | g                    | g | agent by number  | watch an agent by its number              | arena.agent_number |
    follow         | f                    | f | follow           | follow the best agent, the worst, or none | arena.follow       | 12
    rival          | M                    | M | against the best | play the best checkpoint beside it       | rival.toggle       | 14
    """,
)

TIME_KEYS = rows(
    "Time",
    """
    pause_game | space             | space | pause game | stop the game; training goes on    | arena.pause     | 5
    rewind     | b                 | b     | back       | back a second, up to half a minute | arena.rewind    | 8
    step_back  | comma             | ,     | step back  | back one decision                  | arena.step(-1)  |
    step       | full_stop         | .     | step       | pause, and on by one decision      | arena.step(1)   |
    slower     | less_than_sign    | <     | slower     | slow the game down                 | arena.speed(-1) |
    faster     | greater_than_sign | >     | speed      | speed the game up                  | arena.speed(1)  | 7 < >
    """,
)

GAME_KEYS = (*PLAYER_KEYS, *AGENT_KEYS, *TIME_KEYS)
