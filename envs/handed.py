"""A library that goes from a trainer to the process that goes on with its run.

The sources may have been edited meanwhile, half a line perhaps: the run goes on with what it began with.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from pufftui.envs.errors import PuffError
from pufftui.envs.library import EnvLibrary, load_library

VARIABLE = "PUFFTUI_LIBRARY"
"""Names the environment, the file of its library and the digest of that, for the process that is started."""


def hand_over(env: str, library: EnvLibrary) -> Mapping[str, str]:
    """What the environment of the next process has to hold besides."""
    return {VARIABLE: json.dumps([env, str(library.path), library.build.hex()])}


@functools.cache
def handed_over(env: str) -> EnvLibrary | None:
    """The library of this environment that was handed to this process, if it is still there."""
    try:
        known, path, build = json.loads(os.environ.get(VARIABLE, ""))
        if known != env or hashlib.sha256(Path(path).read_bytes()).hexdigest() != build:
            return None
        return load_library(Path(path))
    except (OSError, ValueError, TypeError, RecursionError, PuffError):
        return None
