"""`pufftui play`: the game full screen, for a person to play beside a trained policy."""

from __future__ import annotations

import secrets

from pufftui.cli.named import load_named
from pufftui.cli.output import add_screen, check_screen, wishes
from pufftui.cli.parser import CommandParser
from pufftui.cli.settings import (
    WORLD_HELP,
    load_settings,
    setting_files,
    split_settings,
    world_flags,
)
from pufftui.envs.catalogue import env_names
from pufftui.envs.errors import PuffError
from pufftui.trainer.run.naming import NOBODY, POLICIES, RANDOM


def run(arguments: list[str]) -> int:
    """Plays; returns 0, or 130 if a signal ended it."""
    others, settings = split_settings(arguments)
    parser = CommandParser("play", "You play, full screen; a trained policy plays when you do not.")
    add = parser.add_argument
    add(
        "env",
        metavar="ENV",
        nargs="?",
        help="what to play: a name that pufftui envs lists, or a folder",
    )
    add(
        "--from",
        metavar="POLICY",
        dest="source",
        help=f"who plays: {POLICIES}, {RANDOM} (for random moves) or {NOBODY} (for nobody); without "
        "it the newest run of ENV, else its baseline",
    )
    add_screen(parser)
    parser.epilog = WORLD_HELP
    options = parser.parse(others)
    flags = world_flags(settings, "play")
    if options.env is None:
        known = ", ".join(env_names())
        raise PuffError("play needs an environment.", f"Known: {known}.", usage=True)
    library = load_named(options.env)
    # The same world with and without a GPU.
    config = load_settings(options.env, setting_files(), {**flags, "run.device": "cpu"})
    from pufftui.state.opponent import choose_opponent

    opponent = choose_opponent(config, options.source, flags)
    check_screen("play", "Start it in one.", options.theme)
    from pufftui.apps.play import run_play
    from pufftui.state.session import PlaySession
    from pufftui.trainer.arena.arena import Arena

    # Other games every time: nobody wants to learn one game by heart.
    seed = secrets.randbits(32)
    arena = Arena(library, opponent.parameters, lambda: opponent.weights, seed)
    session = PlaySession(arena=arena, descriptor=library.descriptor, opponent=opponent)
    return run_play(session, wishes(options))
