"""Finds environments: bundled ones by name, installed ones by entry point, others by folder.

A bundled environment is a folder beside this file with its library built into it. All others are
folders with sources, compiled when they are first needed.

This is the one door through which code comes in. A run, a checkpoint or a settings file may be a
stranger's: what it names is built only if it is bundled, installed, or noted as built by the person
before (notes.py). Only what the person names on the command line is built without further questions.
"""

from __future__ import annotations

import os
import shlex
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path

import pufftui.envs
from pufftui.envs.compile import compile_env
from pufftui.envs.errors import PuffError, nearest
from pufftui.envs.handed import hand_over, handed_over
from pufftui.envs.library import SUFFIX, EnvLibrary, load_library
from pufftui.envs.notes import Standing, note, noted_folders, standing
from pufftui.envs.places import expanded, is_text
from pufftui.envs.reading import read_small_text

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

    @property
    def baseline(self) -> Path:
        """The folder of the trained policy that comes with it, if one does."""
        return self.path / "baseline"


def env_names() -> list[str]:
    """Names of the bundled environments, sorted."""
    tomls = Path(__file__).parent.glob("*/*.toml")
    return sorted(path.stem for path in tomls if path.stem == path.parent.name)


def installed_names() -> list[str]:
    """Names of the environments that other packages bring along, sorted."""
    return sorted(set(_entry_points()) - set(env_names()))


def find_env(named: str) -> EnvFolder:
    """The folder of an environment that a person names; raises `PuffError` if there is none.

    A name wins over a folder that is called the same; `./name` is always the folder.
    """
    if named in env_names():
        return EnvFolder(named, Path(__file__).parent / named, bundled=True)
    if os.sep not in named and not os.path.isdir(named):  # noqa: PTH112 - never raises
        return _installed(named)
    path = expanded(named)
    if not is_text(str(path)):
        raise PuffError(f"The name {named!r} is not UTF-8.", "Rename the folder.", usage=True)
    folder = EnvFolder(str(path), path, bundled=False)
    if not os.path.isdir(path):  # noqa: PTH112
        hint = f"Make a new environment: pufftui env new {path.name}."
        raise PuffError(f"There is no folder {named}.", hint, usage=True)
    if not os.path.isfile(folder.source):  # noqa: PTH113
        raise PuffError(
            f"The folder {named} holds no {folder.source.name}.",
            "A folder is an environment if it holds a C file of the same name.",
            usage=True,
        )
    return folder


def find_recorded(id_: str) -> EnvFolder:
    """The folder of an environment that a file names, by the `id` of its folder.

    Raises `PuffError` if there is none; also for the name of a folder here, wherever that is now.
    """
    if id_ in env_names() or (Path(id_).is_absolute() and id_ == os.path.normpath(id_)):
        return find_env(id_)
    return _installed(id_)


def find_by_name(id_: str) -> EnvFolder:
    """As `find_recorded` for a file that may come from anywhere: a path in it tells only a name.

    That is looked for among the folders that the person has built. Raises `PuffError` if there is none, or if
    it cannot be told which is meant.
    """
    name = Path(id_).name
    if name == id_:
        return find_recorded(id_)
    # What was moved or removed since is noted as well.
    folders = [str(folder) for folder in noted_folders(name) if os.path.isdir(folder)]  # noqa: PTH112
    if id_ in folders:
        folders = [id_]
    if not folders:
        raise PuffError(
            f"You have never built an environment {name} here.",
            f"If you have its folder, look at it, and then: pufftui env check ./{shlex.quote(name)}.",
            usage=True,
        )
    if len(folders) > 1:
        raise PuffError(
            f"You have built several environments {name}: {', '.join(folders)}.",
            "Remove or rename those that are not meant, or name a run instead of a file.",
            usage=True,
        )
    return find_env(folders[0])


def is_env(word: str) -> bool:
    """Whether a word of a command line names an environment rather than anything else."""
    try:
        return not word.startswith("-") and bool(find_env(word))
    except PuffError:
        return False


def env_defaults(named: str) -> Path | None:
    """The TOML file with an environment's defaults, if it has one."""
    defaults = find_env(named).defaults
    return defaults if os.path.exists(defaults) else None  # noqa: PTH110


def accepted_findings(named: str) -> tuple[str, ...]:
    """What an environment's author accepts with a reason in the table [check], such as `reward_small`."""
    file = env_defaults(named)
    try:
        table = tomllib.loads(read_small_text(file)).get("check", {}) if file else {}
    except (OSError, ValueError):
        return ()
    return tuple(sorted(name.removesuffix("_ok") for name in table))


def load_env(named: str, *, named_here: bool = False) -> EnvLibrary:
    """The library of an environment; raises `PuffError` if it is unknown, broken or not to be built.

    `named_here` is whether the person named it on the command line of this process, by name or path;
    all that comes from a file has to be known already. What is loaded once is there for the whole process.
    """
    folder = find_env(named) if named_here else find_recorded(named)
    if folder not in _loaded:
        _loaded[folder] = _admitted(folder, named_here=named_here)
    return _loaded[folder]


_loaded: dict[EnvFolder, EnvLibrary] = {}
"""Once in a process, so that a source that is being edited cannot change in between."""


def note_env(named: str) -> str:
    """Notes that the person has asked to build an environment, so that runs may name it.

    Returns why that could not be done, nothing if all is well; bundled and installed ones need none.
    """
    folder = find_env(named)
    return note(folder.source) if folder.id == str(folder.path) else ""


def for_successor(env: str) -> Mapping[str, str]:
    """What the environment of a process that goes on in our place needs, to have the same library."""
    own = (lib for folder, lib in _loaded.items() if folder.id == env and not folder.bundled)
    return {name: text for library in own for name, text in hand_over(env, library).items()}


def _admitted(folder: EnvFolder, *, named_here: bool) -> EnvLibrary:
    """Opens the library if the person wants that, else raises the `PuffError` that says how to."""
    if named_here or folder.id != str(folder.path):
        return _load(folder)
    if (library := handed_over(folder.id)) is not None:
        return library
    known = standing(folder.source)
    if known is Standing.NOTED:
        return _load(folder)
    look = f"Look at it, and if you trust it: pufftui env check {shlex.quote(folder.id)}."
    if known is Standing.CHANGED:
        raise PuffError(f"The environment {folder.id} has changed since you last built it.", look)
    raise PuffError(
        f"You have never built the environment {folder.id}, so its code is not run.", look
    )


def _load(folder: EnvFolder) -> EnvLibrary:
    name = folder.name
    if folder.bundled:
        # An editable install keeps the sources in one folder of the package and what was built in
        # another.
        candidates = [Path(root) / name / f"lib{name}{SUFFIX}" for root in pufftui.envs.__path__]
        return load_library(next((path for path in candidates if path.exists()), candidates[0]))
    library = load_library(compile_env(folder.source), source=folder.source.name)
    if library.descriptor.name != name:
        raise PuffError(
            f"{folder.source.name} says that it is {library.descriptor.name!r}.",
            f'Its folder and its file are called {name}; write .name = "{name}".',
        )
    return library


def _installed(name: str) -> EnvFolder:
    known = _entry_points()
    if name not in known:
        hint = nearest(name, [*env_names(), *known])
        raise PuffError(f"There is no environment {name}.", hint, usage=True)
    folders = [EnvFolder(name, place, bundled=False) for place in _package_folders(known[name])]
    found = next((folder for folder in folders if folder.source.is_file()), None)
    if found is None:
        raise PuffError(
            f"The package of {name} holds no {name}.c in {known[name]}.",
            f"Install the package again, or tell its authors: {ENTRY_POINTS} is wrong.",
        )
    return found


def _entry_points() -> dict[str, str]:
    from importlib.metadata import distributions

    return {
        entry.name: entry.value
        for package in distributions(path=_installed_path())
        for entry in package.entry_points
        if entry.group == ENTRY_POINTS
    }


def _package_folders(module: str) -> list[Path]:
    """Where an installed module lies, found without running anything of it."""
    top, *parts = module.split(".")
    return [Path(place, *parts) for place in _top_folders(top) if Path(place, *parts).is_dir()]


def _top_folders(package: str) -> list[str]:
    for finder in sys.meta_path:
        spec = finder.find_spec(package, _installed_path() if finder is PathFinder else None)
        if spec is not None:
            places = spec.submodule_search_locations
            if places is None or isinstance(places, list):
                return places or []
            # Without __init__.py it may lie in several places; asked itself, it looks here as well.
            roots = (Path(root, package) for root in _installed_path())
            return [str(root) for root in roots if root.is_dir()]
    return []


def _installed_path() -> list[str]:
    """Where packages are installed: not the current folder, which `python -m` puts first."""
    first, *others = sys.path
    here = not sys.flags.safe_path and (first or os.curdir)
    return others if here and os.path.realpath(here) == os.path.realpath(".") else sys.path
