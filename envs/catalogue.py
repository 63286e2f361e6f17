"""Finds environments by name: one folder each, beside this file, with its library built into it."""

from __future__ import annotations

import sys
from pathlib import Path

import pufftui.envs
from pufftui.envs.errors import PuffError, nearest
from pufftui.envs.library import EnvLibrary, load_library

SUFFIX = ".dylib" if sys.platform == "darwin" else ".so"


def env_names() -> list[str]:
    """Names of the bundled environments, sorted."""
    tomls = Path(__file__).parent.glob("*/*.toml")
    return sorted(path.stem for path in tomls if path.stem == path.parent.name)


def env_defaults(name: str) -> Path:
    """The TOML file with an environment's defaults; raises `PuffError` for an unknown name."""
    if name not in env_names():
        raise PuffError(f"There is no environment {name}.", nearest(name, env_names()), usage=True)
    return Path(__file__).parent / name / f"{name}.toml"


def load_env(name: str) -> EnvLibrary:
    """The library of an environment, by name; raises `PuffError` if it is unknown or broken."""
    env_defaults(name)
    # An editable install keeps the sources in one folder of the package and what was built in
    # another.
    candidates = [Path(root) / name / f"lib{name}{SUFFIX}" for root in pufftui.envs.__path__]
    return load_library(next((path for path in candidates if path.exists()), candidates[0]))
