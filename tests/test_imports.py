"""What importing a module loads, seen from a fresh interpreter: the rooms stay apart."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import pufftui.envs

WITHOUT_TORCH = [
    "pufftui.trainer.runner",
    "pufftui.trainer.settings.fields",
    "pufftui.trainer.messages.snapshot",
    "pufftui.trainer.messages.command",
    "pufftui.trainer.messages.frame",
    "pufftui.trainer.store",
    "pufftui.trainer.monitor.system",
    "pufftui.trainer.arena.arena",
    "pufftui.trainer.settings.job",
    "pufftui.trainer.run.checkpoint",
    "pufftui.trainer.messages.weights",
    "pufftui.trainer.run.lock",
    "pufftui.trainer.settings.sources",
    "pufftui.trainer.run.policies",
    "pufftui.trainer.run.folder",
    "pufftui.trainer.run.watcher",
]
"""Modules of the trainer that the app imports before torch is loaded."""

ENVS = sorted(
    ".".join(path.relative_to(Path(pufftui.envs.__file__).parent).with_suffix("").parts)
    for path in Path(pufftui.envs.__file__).parent.rglob("*.py")
    if path.stem != "__init__"
)


def loaded_by(statement: str) -> set[str]:
    """Names of all modules that are loaded after a statement."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True
    )
    return set(json.loads(result.stdout))


def rooms(modules: set[str]) -> set[str]:
    """Packages of the project and of the two large libraries among the modules."""
    heads = {".".join(name.split(".")[:2]) for name in modules if name.startswith("pufftui.")}
    return heads | ({"torch", "textual", "rich"} & modules)


@pytest.mark.parametrize("module", WITHOUT_TORCH)
def test_what_the_app_needs_of_the_trainer_loads_neither_torch_nor_textual(module):
    assert rooms(loaded_by(f"import {module}")) <= {
        "pufftui.trainer",
        "pufftui.envs",
    }


@pytest.mark.parametrize("module", ["", *(f".{name}" for name in ENVS)])
def test_envs_load_no_other_room(module):
    assert rooms(loaded_by(f"import pufftui.envs{module}")) == {"pufftui.envs"}


@pytest.mark.parametrize("package", ["pufftui", "pufftui.trainer", "pufftui.themes"])
def test_packages_import_nothing_by_themselves(package):
    own = {name for name in loaded_by(f"import {package}") if name.startswith("pufftui.")}
    assert own <= {package}


def test_the_way_of_looking_sees_torch_and_textual():
    assert rooms(loaded_by("import torch, textual.app")) == {"torch", "textual", "rich"}
