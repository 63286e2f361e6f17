"""The one door for code: what a file names is only built if the person has built it before, as it is."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pufftui.envs import catalogue
from pufftui.envs.compiler import find_compiler
from pufftui.envs.errors import PuffError

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(find_compiler() is None, reason="there is no C compiler")
DOORS = {
    "envs/catalogue.py": "the door",
    "envs/checking/check.py": "env check, whose folder is always named on the command line",
    "envs/handed.py": "the library that the process before this one had loaded",
}
OPENERS = {"compile_env", "load_library", "dlopen", "CDLL", "cdll", "LoadLibrary", "PyDLL"}
OF_OURS = {
    "envs/library.py": {"load_library", "dlopen"},
    "envs/compile.py": {"compile_env"},
    "trainer/kernels/__init__.py": {"dlopen"},
    "trainer/allocator.py": {"CDLL"},
    "envs/first_steps.py": {"CDLL"},
    "pufftui/terminal/native.py": {"PyDLL"},
    "pufftui/terminal/guard.py": {"CDLL"},
    "pufftui/terminal/grids.py": {"PyDLL"},
    "pufftui/terminal/encoder.py": {"PyDLL"},
}
"""Files that define an opener, or open a library that pufftui itself was installed with."""


def names_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    imported = (n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom))
    return names | {alias.name for node in imported for alias in node.names}


def test_nothing_else_opens_libraries():
    found = {}
    for room in ("envs", "trainer", "pufftui"):
        for file in (ROOT / room).rglob("*.py"):
            where = str(file.relative_to(ROOT))
            names = names_in(file) & OPENERS - OF_OURS.get(where, set())
            if names and where not in DOORS:
                found[where] = names
    assert found == {}


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    loaded = dict(catalogue._loaded)
    yield
    catalogue._loaded.clear()
    catalogue._loaded.update(loaded)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An environment with headers of its own in the folder, below it, and beside it."""
    place = tmp_path / "some where" / "own"
    (place / "parts").mkdir(parents=True)
    source = (ROOT / "envs/squared/squared.c").read_text(encoding="utf-8")
    source = source.replace('"squared"', '"own"')
    extra = (
        '#include "canvas.h"\n#include "parts/a.h"\n#include "../beside.h"\n#include "table.txt"'
    )
    source = source.replace('#include "canvas.h"', extra)
    (place / "own.c").write_text(source, encoding="utf-8")
    for name in ("parts/a.h", "../beside.h", "table.txt"):
        (place / name).write_text("enum { A_" + name[-3].upper() + " };\n", encoding="utf-8")
    (place / "README.md").write_text("# own\n", encoding="utf-8")
    return place


def build(folder: Path) -> None:
    """What train, play and env check do."""
    catalogue.load_env(str(folder), named_here=True)
    assert catalogue.note_env(str(folder)) == ""
    catalogue._loaded.clear()


def is_open(named: Path | str) -> bool:
    catalogue._loaded.clear()
    try:
        catalogue.load_env(str(named))
    except PuffError:
        return False
    return True


def test_a_folder_that_a_file_names_is_refused_until_it_was_built(folder: Path):
    with pytest.raises(PuffError, match=r"You have never built.*pufftui env check '.*own'"):
        catalogue.load_env(str(folder))
    build(folder)
    assert is_open(folder)


def test_what_is_bundled_is_open():
    assert is_open("squared")


CHANGES: dict[str, tuple[Callable[[Path], object], bool]] = {
    "the source": (lambda f: (f / "own.c").open("a").write("/* more */\n"), False),
    "a header below": (lambda f: (f / "parts/a.h").write_text("enum { B };\n"), False),
    "a header beside": (lambda f: (f / "../beside.h").write_text("enum { B };\n"), False),
    "what is included under another name": (lambda f: (f / "table.txt").write_text("\n"), False),
    "a header in place of ours": (lambda f: (f / "vec.h").write_text("\n"), False),
    "a hidden header": (lambda f: (f / ".odd.h").write_text("\n"), False),
    "a header in a hidden folder": (
        lambda f: ((f / ".x").mkdir(), (f / ".x/odd.H").write_text("\n")),
        False,
    ),
    "a header in place of ours, beside": (lambda f: (f / "../vec.h").write_text("\n"), True),
    "a header renamed": (lambda f: (f / "parts/a.h").rename(f / "parts/b.h"), False),
    "a pipe in place of a header": (
        lambda f: ((f / "../beside.h").unlink(), os.mkfifo(f / "../beside.h")),
        False,
    ),
    "the README": (lambda f: (f / "README.md").write_text("other\n"), True),
    "a run": (
        lambda f: ((f / "runs/r").mkdir(parents=True), (f / "runs/r/run.db").touch()),
        True,
    ),
    "an editor's lock": (lambda f: (f / ".#own.c").symlink_to("me@here:1"), True),
    "the compiler's flags": (
        lambda _: os.environ.__setitem__("CC", f"{find_compiler()[0]} -g"),
        True,
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_counts_as_a_change(folder: Path, monkeypatch: pytest.MonkeyPatch, change: str):
    monkeypatch.setenv("CC", find_compiler()[0])
    build(folder)
    do, still_open = CHANGES[change]
    do(folder)
    assert is_open(folder) == still_open
    if not still_open:
        with pytest.raises(PuffError, match="has changed since you last built it"):
            catalogue.load_env(str(folder))


def test_a_header_beside_that_comes_before_one_of_ours(folder: Path):
    """The header beside includes vec.h itself, so one that lies there would be taken."""
    (folder / "../beside.h").write_text('#include "puff_env.h"\n', encoding="utf-8")
    build(folder)
    (folder / "../puff_env.h").write_text('#include_next "puff_env.h"\n', encoding="utf-8")
    assert not is_open(folder)


def test_moved_copied_and_replaced_folders_are_unknown(folder: Path):
    build(folder)
    moved = folder.with_name("away") / "own"
    moved.parent.mkdir()
    folder.rename(moved)
    (moved.parent / "beside.h").write_bytes((folder.parent / "beside.h").read_bytes())
    assert not is_open(moved)
    subprocess.run(["cp", "-r", str(moved), str(folder)], check=True)
    with pytest.raises(PuffError, match="has changed since"):
        catalogue.load_env(str(folder))


def test_a_link_counts_as_what_it_leads_to(folder: Path, tmp_path: Path):
    link = tmp_path / "own"
    link.symlink_to(folder)
    build(link)
    assert is_open(folder)
    other = tmp_path / "other" / "own"
    other.parent.mkdir()
    subprocess.run(["cp", "-r", str(folder), str(other)], check=True)
    (tmp_path / "other" / "beside.h").touch()
    link.unlink()
    link.symlink_to(other)
    assert not is_open(link)


def test_words_of_files_are_no_folders_of_where_one_stands(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    build(folder)
    monkeypatch.chdir(folder.parent)
    for named in ("own", "./own", "../some where/own", f"{folder}/../own", "~/own", ""):
        assert not is_open(named), named


@pytest.mark.parametrize("damage", [b"", b"\xff", b"own = 3", b"path = [", b"[" * 5000])
def test_a_damaged_note_counts_as_none(folder: Path, tmp_path: Path, damage: bytes):
    build(folder)
    (note,) = (tmp_path / "config/pufftui/environments").iterdir()
    whole = note.read_bytes()
    for text in (damage, whole[: len(whole) // 2], whole.replace(b"others", b"other")):
        note.write_bytes(text)
        assert not is_open(folder)
    build(folder)
    assert is_open(folder)


def test_notes_that_are_no_files_are_nothing(folder: Path, tmp_path: Path):
    build(folder)
    (note,) = (tmp_path / "config/pufftui/environments").iterdir()
    note.unlink()
    os.mkfifo(note)
    assert not is_open(folder)


def test_many_processes_note_at_once(folder: Path, tmp_path: Path):
    code = (
        "import sys\nfrom pufftui.envs.catalogue import note_env\n"
        "for _ in range(10):\n    print(note_env(sys.argv[1]), end='')\n"
    )
    command = [sys.executable, "-c", code, str(folder)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(3)]
    assert [process.communicate()[0] for process in processes] == [b"", b"", b""]
    assert len(list((tmp_path / "config/pufftui/environments").iterdir())) == 1
    assert is_open(folder)


def test_settings_that_cannot_be_written_are_told(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    assert catalogue.load_env(str(folder), named_here=True).descriptor.name == "own"
    assert "directory" in catalogue.note_env(str(folder))
    assert not is_open(folder)


def test_a_package_of_the_current_folder_is_not_installed(tmp_path: Path):
    """`python -m pufftui` puts that folder first on the path, and a stranger's may hold anything."""
    (tmp_path / "zoo" / "ape").mkdir(parents=True)
    marker = tmp_path / "marker"
    (tmp_path / "zoo" / "__init__.py").write_text(f"open({str(marker)!r}, 'w')\n")
    (tmp_path / "zoo" / "ape" / "ape.c").write_text("int x;\n")
    information = tmp_path / "zoo-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: zoo\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[pufftui.envs]\nape = zoo.ape\n")
    command = [sys.executable, "-m", "pufftui", "envs"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    assert "squared" in said.stdout
    assert not marker.exists()
