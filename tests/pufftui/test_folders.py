"""Environments in folders of one's own on the command line: real processes, as a person runs them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from pufftui.envs.compiler import find_compiler

ROOT = Path(__file__).parents[2]
SHORT = ("--headless", "--json", "--train.total-steps", "1", "--policy.hidden", "16")
Run = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="there is no C compiler")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs `pufftui` with folders of its own for settings, cache and runs."""

    def run(
        *arguments: str, cwd: Path = tmp_path, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pufftui", *arguments],
            cwd=cwd,
            env=os.environ
            | {
                "XDG_CONFIG_HOME": str(tmp_path / "config"),
                "XDG_CACHE_HOME": str(tmp_path / "cache"),
                "PUFFTUI_RUNS": str(tmp_path / "runs"),
            }
            | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    source = (ROOT / "envs/squared/squared.c").read_text(encoding="utf-8")
    (folder / "mine.c").write_text(source.replace('"squared"', '"mine"'), encoding="utf-8")
    (folder / "mine.toml").write_text(
        "[train]\ngamma = 0.875\n[vec]\nagents = 64\n[check]\nreward_small_ok = 'a test'\n"
    )
    return folder


def test_a_folder_is_trained_and_resumed_from_anywhere(run: Run, mine: Path, tmp_path: Path):
    trained = run("train", "./mine", *SHORT)
    assert trained.returncode == 0, trained.stderr
    last = json.loads(trained.stdout.splitlines()[-1])
    (name,) = [path.name for path in (tmp_path / "runs").iterdir()]
    assert name == last["run"]
    assert name.startswith("mine-")
    config = tomllib.loads((tmp_path / "runs" / name / "config.toml").read_text())
    assert config["environment"] == str(mine)
    assert config["train"]["gamma"] == 0.875

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    more = str(2 * last["step"])
    resumed = run("resume", *SHORT[:2], "--train.total-steps", more, cwd=elsewhere)
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(resumed.stdout.splitlines()[-1])["step"] == 2 * last["step"]

    shutil.move(mine, tmp_path / "moved")
    lost = run("resume", *SHORT[:2], "--train.total-steps", "1M")
    assert (lost.returncode, lost.stderr.count("\n")) == (2, 1)
    assert str(mine) in lost.stderr


def test_help_of_a_folder(run: Run, mine: Path):
    result = run("train", "./mine", "--help")
    assert "--train.gamma 0.875" in result.stdout
    assert "they have for mine on this machine" in result.stdout
    assert result.returncode == 0


def test_bench_of_a_folder(run: Run, mine: Path):
    result = run("bench", "./mine", "--env-only", "--json", "--seconds", "0.1")
    figures = [json.loads(line) for line in result.stdout.splitlines()]
    assert {figure["env"] for figure in figures} == {"mine"}


def test_the_compilers_message_is_shown(run: Run, mine: Path, tmp_path: Path):
    source = mine / "mine.c"
    source.write_text(source.read_text(encoding="utf-8") + "int broken = nowhere;\n")
    line = source.read_text(encoding="utf-8").count("\n")
    for arguments in (("train", "./mine", "--headless"), ("bench", "./mine")):
        result = run(*arguments)
        assert result.returncode == 1
        assert result.stdout == ""
        first, *rest = result.stderr.splitlines()
        assert first == "pufftui: mine.c does not compile. The compiler says:"
        assert any(f"{source}:{line}:" in said and "nowhere" in said for said in rest)
        assert "Traceback" not in result.stderr
    assert not (tmp_path / "runs").exists()


def test_no_compiler(run: Run, mine: Path):
    result = run("train", "./mine", "--headless", PATH="/nowhere", CC="")
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    doctor = json.loads(run("doctor", "--json", PATH="/nowhere", CC="").stdout)
    (compiler,) = [finding for finding in doctor if finding["name"] == "compiler"]
    assert compiler["text"] in result.stderr
    assert compiler["fix"] in result.stderr


@pytest.mark.parametrize(
    ("table", "words"),
    [("[chekc]\n", ["chekc"]), ("[check.train]\n", [])],
)
def test_only_that_table_is_let_through(run: Run, mine: Path, table: str, words: list[str]):
    (mine / "mine.toml").write_text(table)
    result = run("train", "./mine", *SHORT)
    assert result.returncode == (2 if words else 0), result.stderr
    for word in words:
        assert word in result.stderr


def test_no_other_file_may_hold_it(run: Run, mine: Path, tmp_path: Path):
    (tmp_path / "other.toml").write_text("[check]\n")
    result = run("train", "./mine", *SHORT, "--config", "other.toml")
    assert result.returncode == 2
    assert "no section check" in result.stderr
