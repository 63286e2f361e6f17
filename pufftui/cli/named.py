"""The environment that a person names on the command line: it is built, and noted as theirs."""

from __future__ import annotations

import sys

from pufftui.envs.catalogue import find_env, load_env, note_env
from pufftui.envs.library import EnvLibrary


def load_named(env: str) -> EnvLibrary:
    """The library of an environment that stands on this command line, also for runs that name it later.

    Raises `PuffError` if it is unknown or broken.
    """
    library = load_env(env, named_here=True)
    remember(env)
    return library


def remember(env: str) -> None:
    """Notes an environment that was built; says on stderr what follows if that cannot be done."""
    trouble = note_env(env)
    if trouble:
        sys.stderr.write(
            f"pufftui could not note that you have built {find_env(env).id} ({trouble}), so "
            "resume, watch and other commands will not run its code.\n"
        )
