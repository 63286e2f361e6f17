"""Environments from folders anywhere: compiled once for each version of everything they are made of."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pufftui.envs.catalogue import env_defaults, find_env, load_env
from pufftui.envs.compile import CompileError, cache_folder, compile_env
from pufftui.envs.compiler import find_compiler
from pufftui.envs.errors import PuffError

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(find_compiler() is None, reason="there is no C compiler")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "pufftui"


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """Squared under another name, in a folder of its own, with a header beside it."""
    folder = tmp_path / "some where" / "stranger"
    folder.mkdir(parents=True)
    source = (ROOT / "envs/squared/squared.c").read_text(encoding="utf-8")
    source = source.replace('"squared"', '"stranger"').replace("SIDE = 11,", "SIDE = SIDE_OF_GRID,")
    source = source.replace('#include "canvas.h"', '#include "canvas.h"\n#include "side.h"')
    (folder / "stranger.c").write_text(source, encoding="utf-8")
    (folder / "side.h").write_text("#define SIDE_OF_GRID 9\n", encoding="utf-8")
    shutil.copy(ROOT / "envs/squared/squared.toml", folder / "stranger.toml")
    return folder


def built(cache: Path) -> set[str]:
    return {path.name for path in cache.iterdir()}


def edit(file: Path, change: Callable[[str], str]) -> None:
    file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")


def test_a_folder_is_an_environment(stranger: Path, cache: Path):
    library = load_env(str(stranger), named_here=True)
    assert library.descriptor.name == "stranger"
    assert library.descriptor.observation_bytes == 81
    assert library.path.parent == cache
    assert env_defaults(str(stranger)) == stranger / "stranger.toml"


def test_the_second_time_comes_from_the_cache(stranger: Path, cache: Path):
    library = compile_env(stranger / "stranger.c")
    before = library.stat()
    os.utime(library, (1, 1))
    assert compile_env(stranger / "stranger.c") == library
    after = library.stat()
    assert (after.st_ino, after.st_size) == (before.st_ino, before.st_size)
    assert after.st_mtime > time.time() - 100  # it counts as used
    assert built(cache) == {library.name}


def test_every_change_builds_anew(stranger: Path, monkeypatch: pytest.MonkeyPatch):
    source = stranger / "stranger.c"
    seen = [compile_env(source)]
    edit(stranger / "side.h", lambda text: text.replace("9", "7"))
    seen.append(compile_env(source))
    edit(source, lambda text: text.replace("TIME_LIMIT = 33", "TIME_LIMIT = 34"))
    seen.append(compile_env(source))
    monkeypatch.setenv("CC", f"{find_compiler()[0]} -DANYTHING")
    seen.append(compile_env(source))
    assert len(set(seen)) == len(seen)
    monkeypatch.delenv("CC")
    edit(stranger / "side.h", lambda text: text.replace("7", "9"))
    edit(source, lambda text: text.replace("TIME_LIMIT = 34", "TIME_LIMIT = 33"))
    assert compile_env(source) == seen[0]


def test_what_nobody_used_for_a_month_goes(stranger: Path, cache: Path):
    old = compile_env(stranger / "stranger.c")
    os.utime(old, (1, 1))
    edit(stranger / "side.h", lambda text: text.replace("9", "7"))
    new = compile_env(stranger / "stranger.c")
    assert built(cache) == {new.name}


def test_many_at_once_make_one(stranger: Path, cache: Path):
    code = (
        "import sys; from pathlib import Path; from pufftui.envs.compile import compile_env\n"
        "print(compile_env(Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", code, str(stranger / "stranger.c")]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = {process.communicate()[0].strip() for process in processes}
    assert said == {str(cache / name) for name in built(cache)}
    assert len(said) == 1


def test_the_compilers_own_words(stranger: Path, cache: Path):
    edit(stranger / "stranger.c", lambda text: text.replace("world->tick = 0;", "world->tock = 0;"))
    lines = (stranger / "stranger.c").read_text(encoding="utf-8").splitlines()
    line = next(i for i, text in enumerate(lines, 1) if "tock" in text)
    with pytest.raises(CompileError) as caught:
        load_env(str(stranger), named_here=True)
    first, second, *_ = caught.value.message.splitlines()
    assert first == "stranger.c does not compile. The compiler says:"
    assert f"stranger.c:{line}:" in caught.value.message
    assert "tock" in caught.value.message
    assert caught.value.exit_status == 1
    assert second
    assert built(cache) == set()
    # Mended, it loads.
    edit(stranger / "stranger.c", lambda text: text.replace("tock", "tick"))
    load_env(str(stranger), named_here=True)


def test_a_missing_header(stranger: Path):
    (stranger / "side.h").unlink()
    with pytest.raises(CompileError, match=r"stranger\.c:\d+:\d+: fatal error: .*side\.h"):
        load_env(str(stranger), named_here=True)


def test_without_puff_this_it_is_said_what_to_define(stranger: Path):
    edit(stranger / "stranger.c", lambda text: text.replace("puff_this = {", "puff_thing = {"))
    with pytest.raises(CompileError) as caught:
        load_env(str(stranger), named_here=True)
    assert "define a puff_descriptor puff_this" in caught.value.message


def test_endless_complaints_are_cut(stranger: Path):
    edit(stranger / "stranger.c", lambda text: text + "int bad = ;\n" * 100)
    with pytest.raises(CompileError) as caught:
        load_env(str(stranger), named_here=True)
    assert "more lines" in caught.value.message
    assert caught.value.message.count("\n") < 50


def test_no_compiler(stranger: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(PuffError, match=r"There is no C compiler, .* Get one: "):
        load_env(str(stranger), named_here=True)
    monkeypatch.setenv("CC", "nonesuch -O2")
    with pytest.raises(PuffError, match=r"nonesuch -O2, which the variable CC names, is not there"):
        load_env(str(stranger), named_here=True)


def test_a_cache_that_cannot_be_written(
    stranger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(PuffError, match=r"cannot be compiled into .*XDG_CACHE_HOME"):
        load_env(str(stranger), named_here=True)


def test_the_cache_without_a_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "pufftui"


def test_without_defaults(stranger: Path):
    (stranger / "stranger.toml").unlink()
    assert env_defaults(str(stranger)) is None


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            '.name = "stranger"',
            '.name = "other"',
            ["stranger.c says that it is 'other'", ".name ="],
        ),
        ('#include "vec.h"', "", ["stranger.c is not a working", '#include "vec.h"']),
        (".abi = PUFF_ABI", ".abi = 7", ["interface 7"]),
        (".agents = 1,", "", ["agents is 0"]),
        (".step = squared_step,", "", ["no function step"]),
        (".picture_height = SIDE,", "", ["picture_height is 0"]),
        (".score_high = 1,", "", ["scores go from 0 to 0"]),
        (".frames_per_second = 8,", "", ["frames_per_second is 0"]),
        (".observation_bytes = CELLS,", ".observation_bytes = 80,", ["ends at byte 81"]),
        (".choices = squared_choices", "", ["'move' has 5 choices"]),
        (".neutral = STAY", ".neutral = 5", ["rests at choice 5"]),
        (".fields = squared_fields,", "", ["1 fields", "no table"]),
        (".classes = CLASSES", ".classes = 300", ["cells has 300 classes"]),
    ],
)
def test_what_describes_itself_wrongly(stranger: Path, old: str, new: str, words: list[str]):
    edit(stranger / "stranger.c", lambda text: text.replace(old, new))
    with pytest.raises(PuffError) as caught:
        load_env(str(stranger), named_here=True)
    for word in words:
        assert word in str(caught.value)


def test_names_and_folders(stranger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert find_env("squared").bundled
    monkeypatch.chdir(stranger.parent)
    for named in ("stranger", "./stranger", "stranger/", "../some where/stranger"):
        folder = find_env(named)
        assert (folder.id, folder.name, folder.bundled) == (str(stranger), "stranger", False)
    monkeypatch.chdir(stranger)
    assert find_env(".").id == str(stranger)
    # A bundled name wins over a folder that is called the same; a path is a path.
    shutil.copytree(ROOT / "envs/squared", tmp_path / "squared")
    monkeypatch.chdir(tmp_path)
    assert find_env("squared").bundled
    assert find_env("./squared").id == str(tmp_path / "squared")


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("./nothing", ["no folder ./nothing", "pufftui env new nothing"]),
        ("empty", ["empty holds no empty.c", "same name"]),
        ("squred", ["Did you mean squared?"]),
    ],
)
def test_what_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str, words: list[str]
):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PuffError) as caught:
        find_env(named)
    assert caught.value.exit_status == 2
    for word in words:
        assert word in str(caught.value)


def test_an_installed_package_brings_environments(
    stranger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    site = tmp_path / "site"
    shutil.copytree(stranger, site / "zoo" / "stranger")
    information = site / "zoo-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: zoo\nVersion: 1.0\n")
    entries = "[pufftui.envs]\nstranger = zoo.stranger\nlost = zoo.lost\n"
    (information / "entry_points.txt").write_text(entries)
    monkeypatch.syspath_prepend(site)
    folder = find_env("stranger")
    assert (folder.id, folder.path) == ("stranger", site / "zoo" / "stranger")
    assert load_env("stranger").descriptor.name == "stranger"
    with pytest.raises(PuffError, match=r"package of lost holds no lost\.c"):
        load_env("lost")
    with pytest.raises(PuffError, match=r"Did you mean stranger\?"):
        load_env("strangr")


@pytest.mark.parametrize("where", ["header", "middle", "end"])
def test_a_damaged_library_is_built_again_before_anybody_loads_it(stranger: Path, where: str):
    library = compile_env(stranger / "stranger.c")
    sound = library.read_bytes()
    at = {"header": 40, "middle": len(sound) // 2, "end": len(sound) - 1}[where]
    library.write_bytes(sound[:at] + bytes([sound[at] ^ 0xFF]) + sound[at + 1 :])
    assert compile_env(stranger / "stranger.c").read_bytes() == sound
    library.write_bytes(sound[: len(sound) // 2])
    assert compile_env(stranger / "stranger.c").read_bytes() == sound


def test_a_cache_where_no_code_may_run(stranger: Path, monkeypatch: pytest.MonkeyPatch):
    """What a library there does when it is loaded is imitated: nothing can be mapped."""
    library = compile_env(stranger / "stranger.c")
    library.write_bytes(b"no library")
    monkeypatch.setattr("pufftui.envs.catalogue.compile_env", lambda _: library)
    real = os.statvfs(library)
    told = os.statvfs_result((*real[:8], real.f_flag | os.ST_NOEXEC, real.f_namemax))
    monkeypatch.setattr(os, "statvfs", lambda _: told)
    with pytest.raises(PuffError, match=r"no code may run on that file system") as refused:
        load_env(str(stranger), named_here=True)
    assert "XDG_CACHE_HOME" in refused.value.hint
