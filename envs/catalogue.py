"""Finds environments: bundled ones by name, installed ones by entry point, others by folder.

A bundled environment is a folder beside this file with its library built into it. All others are
folders with sources, compiled when they are first needed.
"""

from __future__ import annotations

import functools
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pufftui.envs
from pufftui.envs.compile import compile_env
from pufftui.envs.errors import PuffError, nearest
from pufftui.envs.library import SUFFIX, EnvLibrary, load_library

ENTRY_POINTS = "pufftui.envs"
"""Packages name their environments in this group: `name = "module"`, a module in its folder."""


@dataclass(frozen=True, slots=True)
class EnvFolder:
    """Where an environment lies.

    `id` finds it again from anywhere, also later: its name if it is bundled or installed, else the
    absolute path of its folder.
    """

    id: str
    path: Path
    bundled: bool

    @property
    def name(self) -> str:
        """Of the folder, the files in it and the environment."""
        return self.path.name

    @property
    def source(self) -> Path:
        """The C file."""
        return self.path / f"{self.name}.c"

    @property
    def defaults(self) -> Path:
        """The TOML file."""
        return self.path / f"{self.name}.toml"


def env_names() -> list[str]:
    """Names of the bundled environments, sorted."""
    tomls = Path(__file__).parent.glob("*/*.toml")
    return sorted(path.stem for path in tomls if path.stem == path.parent.name)


def installed_names() -> list[str]:
    """Names of the environments that other packages bring along, sorted."""
    return sorted(set(_entry_points()) - set(env_names()))


def find_env(named: str) -> EnvFolder:
    """The folder of an environment, by name or path; raises `PuffError` if there is none.

    A name wins over a folder that is called the same; `./name` is always the folder.
    """
    if named in env_names():
        return EnvFolder(named, Path(__file__).parent / named, bundled=True)
    if os.sep not in named and not Path(named).is_dir():
        return _installed(named)
    path = Path(os.path.abspath(Path(named).expanduser()))  # noqa: PTH100 - links keep their name
    folder = EnvFolder(str(path), path, bundled=False)
    if not path.is_dir():
        hint = f"Make a new environment: pufftui env new {path.name}."
        raise PuffError(f"There is no folder {named}.", hint, usage=True)
    if not folder.source.is_file():
        raise PuffError(
            f"The folder {named} holds no {folder.source.name}.",
            "A folder is an environment if it holds a C file of the same name.",
            usage=True,
        )
    return folder


def is_env(word: str) -> bool:
    """Whether a word of a command line names an environment rather than anything else."""
    try:
        return not word.startswith("-") and bool(find_env(word))
    except PuffError:
        return False


def env_defaults(named: str) -> Path | None:
    """The TOML file with an environment's defaults, if it has one."""
    defaults = find_env(named).defaults
    return defaults if defaults.exists() else None


def accepted_findings(named: str) -> tuple[str, ...]:
    """What an environment's author accepts with a reason in the table [check], such as `reward_small`."""
    file = env_defaults(named)
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8")).get("check", {}) if file else {}
    except (OSError, ValueError):
        return ()
    return tuple(sorted(name.removesuffix("_ok") for name in table))


def load_env(named: str) -> EnvLibrary:
    """The library of an environment; raises `PuffError` if it is unknown or broken."""
    return _load(find_env(named))


@functools.cache
def _load(folder: EnvFolder) -> EnvLibrary:
    """Once in a process, so that a source that is being edited cannot change in between."""
    name = folder.name
    if folder.bundled:
        # An editable install keeps the sources in one folder of the package and what was built in
        # another.
        candidates = [Path(root) / name / f"lib{name}{SUFFIX}" for root in pufftui.envs.__path__]
        return load_library(next((path for path in candidates if path.exists()), candidates[0]))
    library = load_library(
        compile_env(folder.source),
        label=folder.source.name,
        fix='It ends with #include "vec.h"; see puff_env.h for what comes before.',
    )
    if library.descriptor.name != name:
        raise PuffError(
            f"{folder.source.name} says that it is {library.descriptor.name!r}.",
            f'Its folder and its file are called {name}; write .name = "{name}".',
        )
    return library


def _installed(name: str) -> EnvFolder:
    from importlib.util import find_spec

    known = _entry_points()
    if name not in known:
        hint = nearest(name, [*env_names(), *known])
        raise PuffError(f"There is no environment {name}.", hint, usage=True)
    try:
        spec = find_spec(known[name])
    except ImportError:
        spec = None
    places = [*(spec.submodule_search_locations or ())] if spec else []
    folders = [EnvFolder(name, Path(place), bundled=False) for place in places]
    found = next((folder for folder in folders if folder.source.is_file()), None)
    if found is None:
        raise PuffError(
            f"The package of {name} holds no {name}.c in {known[name]}.",
            f"Install the package again, or tell its authors: {ENTRY_POINTS} is wrong.",
        )
    return found


def _entry_points() -> dict[str, str]:
    from importlib.metadata import entry_points

    return {entry.name: entry.value for entry in entry_points(group=ENTRY_POINTS)}
