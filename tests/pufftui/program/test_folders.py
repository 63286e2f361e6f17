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

ROOT = Path(__file__).parents[3]
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
            timeout=900,
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
    assert "with their values for mine on this machine" in result.stdout
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


def test_a_new_environment_trains_at_once(run: Run, tmp_path: Path):
    made = run("env", "new", "catcher")
    assert made.returncode == 0
    assert "pufftui train ./catcher" in made.stdout
    assert "pufftui play ./catcher" in made.stdout
    trained = run("train", "./catcher", *SHORT)
    assert trained.returncode == 0, trained.stderr
    (tmp_path / "games").mkdir()
    made = run("env", "new", "catcher", "--in", "games")
    assert "pufftui train ./games/catcher" in made.stdout
    assert (tmp_path / "games" / "catcher" / "catcher.c").exists()


def test_check_says_that_nothing_is_wrong(run: Run):
    run("env", "new", "catcher")
    checked = run("env", "check", "catcher", "--steps", "20k")
    assert checked.returncode == 0, checked.stdout
    *_, speed, last = checked.stdout.splitlines()
    assert "nothing is wrong" in last
    assert "ns per agent step" in checked.stdout
    assert "squared" in speed
    report = json.loads(run("env", "check", "./catcher", "--json", "--steps", "1e4").stdout)
    assert (report["ok"], report["findings"]) == (True, [])
    assert report["steps"] >= 10_000
    assert report["ns_per_step"] > 0
    assert "squared" in report["bundled_ns_per_step"]


def test_check_says_what_is_wrong(run: Run, tmp_path: Path):
    run("env", "new", "catcher")
    (tmp_path / "catcher" / "test_catcher.c").unlink()
    source = tmp_path / "catcher" / "catcher.c"
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace("caught ? 1.0f : -1.0f", "caught ? 0.01f : -0.01f"))
    settings = tmp_path / "catcher" / "catcher.toml"
    by_itself = settings.read_text(encoding="utf-8")
    settings.write_text(by_itself.replace("[train]", "[train]\nreward_scale = 1.0"))
    checked = run("env", "check", "catcher", "--steps", "20k")
    assert checked.returncode == 1
    assert checked.stdout.startswith("wrong   Rewards are too small to learn from")
    assert "\nfix     " in checked.stdout
    assert "1 thing is wrong" in checked.stdout.splitlines()[-1]
    report = json.loads(run("env", "check", "catcher", "--json", "--steps", "20k").stdout)
    assert not report["ok"]
    assert [finding["id"] for finding in report["findings"]] == ["reward_small"]

    settings.write_text(by_itself, encoding="utf-8")
    source.write_text(text.replace("game->row++;", "game->row++; *(volatile int*)8 = 1;"))
    checked = run("env", "check", "catcher", "--steps", "20k")
    assert checked.returncode == 1
    assert "catcher.c:" in checked.stdout
    assert "Traceback" not in checked.stderr

    source.write_text(text.replace("game->row++;", "game->row++"))
    checked = run("env", "check", "catcher")
    assert checked.returncode == 1
    assert "catcher.c does not compile" in checked.stdout


def test_check_reads_the_defaults_as_training_does(run: Run, tmp_path: Path):
    run("env", "new", "catcher")
    with (tmp_path / "catcher" / "catcher.toml").open("a") as toml:
        toml.write("[vec]\nagnets = 3\n")
    checked = run("env", "check", "catcher", "--steps", "1k")
    assert checked.returncode == 1
    assert "vec.agnets" in checked.stdout
    assert "Did you mean vec.agents?" in checked.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("env", ["env new NAME", "env check FOLDER"]),
        ("env chekc catcher", ["no pufftui env chekc", "Did you mean check?"]),
        ("env new", ["NAME"]),
        ("env new squared", ["squared already"]),
        ("env new my-env", ["my-env", "letters", "Perhaps my_env?"]),
        ("env new mine --in nowhere", ["no folder nowhere"]),
        ("env check", ["NAME|FOLDER"]),
        ("env check nothing", ["no environment nothing"]),
        ("env check ./nothing", ["no folder ./nothing"]),
        ("env check squared --steps many", ["many"]),
        ("env check squared --jsno", ["Did you mean --json?"]),
        ("train ./nothing --headless", ["no folder ./nothing", "pufftui env new nothing"]),
    ],
)
def test_wrong_usage(run: Run, tmp_path: Path, arguments: str, words: list[str]):
    result = run(*arguments.split())
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("pufftui: ")
    assert result.stderr.count("\n") == 1
    for word in words:
        assert word in result.stderr
    assert [*tmp_path.iterdir()] == []
