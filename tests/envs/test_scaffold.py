"""The template of `pufftui env new` under any name: tidy C that compiles without a warning."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pufftui.envs.catalogue import load_env
from pufftui.envs.compile import LANGUAGE, compile_c
from pufftui.envs.compiler import find_compiler
from pufftui.envs.errors import PuffError
from pufftui.envs.scaffold import TEMPLATE, new_env

ROOT = Path(__file__).parents[2]


def test_the_files(tmp_path: Path):
    folder = new_env("catcher", tmp_path)
    assert folder == tmp_path / "catcher"
    names = {path.name for path in folder.iterdir()}
    assert names == {"catcher.c", "catcher.toml", "README.md", "test_catcher.c"}
    assert len(names) == len([*TEMPLATE.iterdir()])
    for path in folder.iterdir():
        assert "NAME" not in path.read_text(encoding="utf-8")
    tomllib.loads((folder / "catcher.toml").read_text(encoding="utf-8"))
    assert [path.name for path in tmp_path.iterdir()] == ["catcher"]


@pytest.mark.skipif(find_compiler() is None, reason="there is no C compiler")
@pytest.mark.parametrize("name", ["c", "int", "printf", "Two_words9", "a" * 40])
def test_any_name_compiles_and_passes_its_tests(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = new_env(name, tmp_path)
    program = tmp_path / "tests"
    flags = [*LANGUAGE, "-Werror", "-Wshadow", "-Wconversion", "-o", str(program)]
    compile_c(folder / f"test_{name}.c", flags)
    subprocess.run([program], check=True)
    assert load_env(str(folder), named_here=True).descriptor.name == name


@pytest.mark.parametrize("name", ["gong", "catcher", "my_env"])
def test_it_is_tidy(name: str, tmp_path: Path):
    folder = new_env(name, tmp_path)
    shutil.copy(ROOT / ".clang-format", tmp_path)
    tool = Path(sys.executable).parent / "clang-format"
    subprocess.run([tool, "--dry-run", "-Werror", *folder.glob("*.c")], check=True)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("squared", "already"),
        ("9lives", "cannot name"),
        ("my-env", "cannot name"),
        ("my env", "cannot name"),
        ("", "cannot name"),
        ("../up", "cannot name"),
        ("é", "cannot name"),
        ("puff_vec", "cannot name"),
        ("a" * 41, "cannot name"),
        ("taken", "already"),
    ],
)
def test_refused(name: str, word: str, tmp_path: Path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(PuffError, match=word) as caught:
        new_env(name, tmp_path)
    assert caught.value.exit_status == 2
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_place_that_is_none(tmp_path: Path):
    with pytest.raises(PuffError, match="There is no folder"):
        new_env("catcher", tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(PuffError, match="There is no folder"):
        new_env("catcher", tmp_path / "file")
