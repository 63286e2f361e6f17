"""The keys of a game that is watched, as data: every screen with an arena has them."""

from __future__ import annotations

from pufftui.keys.key import Key

PLAYER_KEYS = (
    Key(
        "take_over",
        ("m",),
        "m",
        "take over",
        "play the watched agent yourself",
        "Game",
        "take_over",
        2,
    ),
    Key(
        "hand_back",
        ("escape", "shift+escape"),
        "esc",
        "hand back",
        "give the agent back to its policy",
        "Game",
        "hand_back",
        while_playing=True,
    ),
    Key(
        "record",
        ("R",),
        "R",
        "record",
        "record a demonstration; again to keep it",
        "Game",
        "record",
        13,
    ),
)

AGENT_KEYS = (
    Key(
        "previous_agent",
        ("left_square_bracket",),
        "[",
        "previous agent",
        "watch the agent before",
        "Agents",
        "agent(-1)",
    ),
    Key(
        "next_agent",
        ("right_square_bracket",),
        "]",
        "agent",
        "watch the next agent, or click on one",
        "Agents",
        "agent(1)",
        6,
        "[ ]",
    ),
    Key(
        "agent_number",
        ("g",),
        "g",
        "agent by number",
        "watch an agent by its number",
        "Agents",
        "agent_number",
    ),
    Key(
        "follow",
        ("f",),
        "f",
        "follow",
        "follow the best agent, the worst, or none",
        "Agents",
        "follow",
        12,
    ),
    Key(
        "rival",
        ("M",),
        "M",
        "against the best",
        "the best checkpoint plays beside it",
        "Agents",
        "rival",
        14,
    ),
)

TIME_KEYS = (
    Key(
        "pause_game",
        ("space",),
        "space",
        "pause game",
        "stop the game; training goes on",
        "Time",
        "pause_game",
        5,
    ),
    Key(
        "rewind",
        ("b",),
        "b",
        "back",
        "back a second, up to half a minute",
        "Time",
        "rewind",
        8,
    ),
    Key("step_back", ("comma",), ",", "step back", "back one decision", "Time", "step(-1)"),
    Key("step", ("full_stop",), ".", "step", "pause, and on by one decision", "Time", "step(1)"),
    Key("slower", ("less_than_sign",), "<", "slower", "slow the game down", "Time", "speed(-1)"),
    Key(
        "faster",
        ("greater_than_sign",),
        ">",
        "speed",
        "speed the game up",
        "Time",
        "speed(1)",
        7,
        "< >",
    ),
)

GAME_KEYS = (*PLAYER_KEYS, *AGENT_KEYS, *TIME_KEYS)
