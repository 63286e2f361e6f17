"""The checks of the sources: each tool is one test, and its output is the message of the failure."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
VIEW = ROOT / "build" / "view"
SITE_PACKAGES = sysconfig.get_path("purelib")
ROOMS = {
    "pufftui": "pufftui",
    "envs": "pufftui/envs",
    "trainer": "pufftui/trainer",
    "themes": "pufftui/themes",
}
TOOLS = Path(sys.executable).parent
MOST_LINES = 400


def run(
    *command: str | Path, cwd: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs a command; what it says on either stream is in `stdout`."""
    return subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def expect_success(*command: str | Path, cwd: Path = ROOT, **environment: str) -> str:
    result = run(*command, cwd=cwd, **environment)
    assert result.returncode == 0, result.stdout
    return result.stdout


def make_view(root: Path) -> Path:
    """Links the sources of all rooms together as the one package that they are once installed.

    Folders are real and files are links, because not every tool follows a link to a folder.
    """
    shutil.rmtree(root, ignore_errors=True)
    for room, place in ROOMS.items():
        for source in (ROOT / room).rglob("*.py"):
            link = root / place / source.relative_to(ROOT / room)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(source)
    return root


def lint_imports(view: Path) -> subprocess.CompletedProcess[str]:
    # Run inside the view and without `site` (-S), so that the installed package is not seen.
    return run(
        *(sys.executable, "-S", "-c"),
        "from importlinter.cli import lint_imports_command; lint_imports_command()",
        *("--no-cache", "--no-logo", "--config", ROOT / "pyproject.toml"),
        cwd=view,
        PYTHONPATH=SITE_PACKAGES,
    )


@pytest.fixture(scope="module")
def view() -> Path:
    return make_view(VIEW)


def test_ruff() -> None:
    expect_success(TOOLS / "ruff", "check", ".")


def test_ruff_format() -> None:
    expect_success(TOOLS / "ruff", "format", "--check", ".")


def c_sources() -> list[Path]:
    folders = ("pufftui", "envs", "trainer", "tests", "benchmarks")
    return [path for folder in folders for path in (ROOT / folder).rglob("*.[ch]")]


def test_clang_format() -> None:
    expect_success(TOOLS / "clang-format", "--dry-run", "-Werror", *c_sources())


def test_the_makefile_knows_every_c_source() -> None:
    """Or a program that was pulled would not be compiled again, however deep its new source lies."""
    said = run("make", "--dry-run", "--print-data-base", "help").stdout
    (listed,) = (line for line in said.splitlines() if line.startswith("C_FILES := "))
    known = {ROOT / name for name in listed.removeprefix("C_FILES := ").split()}
    assert known == set(c_sources())


def test_types(view: Path) -> None:
    expect_success(TOOLS / "mypy", view / "pufftui")


def test_imports_run_one_way(view: Path) -> None:
    result = lint_imports(view)
    assert result.returncode == 0, result.stdout


PLANTED = [
    ("envs", "import torch"),
    ("envs", "from pufftui.trainer.settings import fields"),
    ("envs", "import pufftui.widgets.painted"),
    ("trainer/run", "import textual.app"),
    ("trainer/run", "from pufftui.widgets import painted"),
    ("trainer/run", "import torch"),
    ("trainer/run", "from pufftui.trainer import runner"),
    ("trainer/store", "from pufftui.trainer.ppo import update"),
    ("trainer/kernels", "from pufftui.trainer.network import policy"),
    ("trainer/collecting", "from pufftui.trainer.ppo import update"),
    ("cli", "import torch.nn"),
    ("cli", "from pufftui.trainer.network import policy"),
    ("widgets", "from pufftui.screens import live"),
    ("screens/dialogs", "from pufftui.screens.controllers import arena"),
]
"""Wrong imports, and the folder of the module that has them."""

WITHOUT_STOREY = ("attic", "trainer/attic", "screens/attic")
"""Folders that no contract knows."""


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """What is said of all that is wrong at once: each import is in a module that nothing imports."""
    root = make_view(tmp_path_factory.mktemp("planted") / "view")
    package = root / "pufftui"
    for number, (folder, statement) in enumerate(PLANTED):
        (package / folder / f"planted_{number}.py").write_text(f"def late():\n    {statement}\n")
    for folder in WITHOUT_STOREY:
        (package / folder).mkdir()
        (package / folder / "__init__.py").touch()
    return lint_imports(root)


@pytest.mark.parametrize(
    "number", range(len(PLANTED)), ids=lambda number: " ".join(PLANTED[number])
)
def test_a_wrong_import_is_found(planted: subprocess.CompletedProcess[str], number: int) -> None:
    folder, _ = PLANTED[number]
    assert planted.returncode == 1, planted.stdout
    assert f" pufftui.{folder.replace('/', '.')}.planted_{number} -> " in planted.stdout


@pytest.mark.parametrize("folder", WITHOUT_STOREY)
def test_a_folder_without_a_storey_is_found(
    planted: subprocess.CompletedProcess[str], folder: str
) -> None:
    assert f"- pufftui.{folder.replace('/', '.')}\n" in planted.stdout


MOST_MODULES = 25

DATA = ("*.toml", "*.h", "*.tcss", "baseline/*.npz", "baseline/*.json")
"""Files beside the sources that the program reads once it is installed."""


def test_no_folder_is_too_full() -> None:
    folders = [
        path.parent for room in ROOMS for path in (ROOT / room).rglob("*.py") if path.is_file()
    ]
    counts = {folder: folders.count(folder) for folder in set(folders)}
    assert {folder: count for folder, count in counts.items() if count > MOST_MODULES} == {}


def test_no_file_is_too_long() -> None:
    sources = [
        path
        for room in ("pufftui", "trainer", "envs")
        for ending in ("*.py", "*.[ch]")
        for path in (ROOT / room).rglob(ending)
        if not path.name.startswith("test_")
    ]
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sources}
    assert {path: length for path, length in lengths.items() if length > MOST_LINES} == {}


def test_the_wheel_works_from_another_folder(tmp_path: Path) -> None:
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    expect_success(
        *pip,
        *("wheel", ".", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path),
        *("--config-settings", f"build-dir={tmp_path / 'build'}"),
    )
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    for room, place in ROOMS.items():
        for data in (path for ending in DATA for path in (ROOT / room).rglob(ending)):
            assert f"{place}/{data.relative_to(ROOT / room)}" in packed
    tops = {name.split("/")[0] for name in packed}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"pufftui"}

    installed = tmp_path / "installed"
    expect_success(*pip, "install", "--no-deps", "--target", installed, wheel)
    isolated = {"PYTHONPATH": f"{installed}{os.pathsep}{SITE_PACKAGES}"}
    for arguments in (["--help"], ["envs"]):
        program = (sys.executable, "-S", installed / "bin" / "pufftui", *arguments)
        said = expect_success(*program, cwd=tmp_path, **isolated)
    for env in sorted(path.parent.name for path in ROOT.glob("envs/*/*.toml")):
        assert env in said
