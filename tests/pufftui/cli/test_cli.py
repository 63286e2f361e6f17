"""The command line as a person meets it: real processes, their output and their exit status."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import pufftui.envs

ROOT = Path(__file__).parents[3]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs `pufftui` in an empty folder, with no settings of the person who tests."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pufftui", *arguments],
            cwd=tmp_path,
            env=os.environ | {"XDG_CONFIG_HOME": str(tmp_path / "config")} | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def refused(result: subprocess.CompletedProcess[str], *words: str, status: int = 2) -> None:
    """One sentence or two on stderr, with these words, and nothing on stdout."""
    assert result.returncode == status, result
    assert result.stdout == ""
    assert result.stderr.startswith("pufftui: ")
    assert result.stderr.count("\n") == 1
    for word in words:
        assert word in result.stderr


def test_help_names_every_command(run: Run) -> None:
    for arguments in ([], ["--help"], ["-h"]):
        result = run(*arguments)
        assert result.returncode == 0
        for command in ("train", "envs", "bench", "doctor"):
            assert f"pufftui {command}" in result.stdout


def test_help_is_quick(run: Run) -> None:
    def seconds() -> float:
        begin = time.perf_counter()
        run("--help")
        return time.perf_counter() - begin

    assert min(seconds() for _ in range(5)) < 0.3


@pytest.mark.parametrize(
    ("arguments", "forbidden"),
    [
        (["--help"], {"argparse", "cffi", "numpy", "rich", "textual", "torch"}),
        (["envs"], {"numpy", "rich", "textual", "torch"}),
        (["train", "--help"], {"numpy", "rich", "textual", "torch"}),
        (["doctor"], {"rich", "textual", "torch"}),
    ],
)
def test_nothing_is_imported_before_it_is_needed(
    tmp_path: Path, arguments: list[str], forbidden: set[str]
) -> None:
    code = (
        "import sys\n"
        "from pufftui.__main__ import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print('\\n' + ' '.join(sys.modules))"
    )
    command = [sys.executable, "-c", code, *arguments]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert set(said.splitlines()[-1].split()) & forbidden == set()


def test_version(run: Run) -> None:
    assert run("--version").stdout.split()[0] == "pufftui"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("trian", ["trian", "Did you mean train?"]),
        ("--hepl", ["--hepl", "Did you mean --help?"]),
        ("--verson", ["--verson", "Did you mean --version?"]),
        ("--theme paper", ["home screen", "terminal"]),
        ("envs --jsno", ["--jsno", "Did you mean --json?"]),
        ("envs squared", ["squared"]),
        ("train", ["breakout", "squared"]),
        ("train braekout --headless", ["braekout", "Did you mean breakout?"]),
        ("train squared --hedless", ["--hedless", "Did you mean --headless?"]),
        ("train squared --learning-rate 1", ["Did you mean --train.learning-rate?"]),
        ("train squared --trian.horizon 1", ["Did you mean --train.horizon?"]),
        ("train squared --headless extra", ["extra"]),
        ("train squared --seed", ["seed"]),
        ("train squared --headless --train.learning-rat 1", ["--train.learning-rate"]),
        ("train squared --headless --train.gamma", ["--train.gamma needs a value"]),
        ("train squared --headless --train.gamma 1.5", ["1.5", "0 to 1"]),
        ("train squared --headless --train.horizon=many", ["many", "2 to 4096"]),
        ("train squared --headless --policy.memory gru", ["mingru"]),
        ("train squared --headless --env.sise 3", ["sise"]),
        ("train squared --headless --seed -1", ["-1", "seed"]),
        ("train squared --headless --device gpu", ["gpu", "cuda"]),
        ("train squared --headless --run-name a/b", ["a/b"]),
        ("train squared --headless --config missing.toml", ["missing.toml"]),
        ("train squared", ["terminal", "--headless"]),
        ("train squared --json", ["--headless"]),
        ("bench squared --train.gamma 0.5", ["train.gamma", "--policy"]),
        ("bench squred", ["Did you mean squared?"]),
        ("bench --seconds never", ["never"]),
        ("doctor please", ["please"]),
    ],
)
def test_wrong_usage_is_one_sentence_and_creates_nothing(
    run: Run, tmp_path: Path, arguments: str, words: list[str]
) -> None:
    refused(run(*arguments.split()), *words)
    assert list(tmp_path.iterdir()) == []


def test_a_gpu_that_is_not_there(run: Run, tmp_path: Path) -> None:
    result = run("train", "squared", "--headless", "--device", "cuda", CUDA_VISIBLE_DEVICES="")
    refused(result, "GPU", "--device cpu")
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_name_in_a_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[train]\ngama = 0.9\n")
    refused(
        run("train", "squared", "--headless", "--config", "mine.toml"), "gama", "gamma", "mine.toml"
    )


def test_the_personal_file_counts(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "config" / "pufftui" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("[train]\ngamma = 0.75\n")
    assert "--train.gamma 0.75" in run("train", "squared", "--help").stdout
    file.write_text("[train]\ngamma = 7\n")
    refused(run("train", "squared", "--headless"), "gamma", str(file))


def test_a_taken_name(run: Run, tmp_path: Path) -> None:
    short = ["train", "squared", "--headless", "--train.total-steps", "1", "--run-name", "mine"]
    assert run(*short).returncode == 0
    before = (tmp_path / "runs" / "mine" / "config.toml").stat()
    refused(run(*short), "mine")
    assert (tmp_path / "runs" / "mine" / "config.toml").stat() == before
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["mine"]


def test_runs_that_cannot_be_kept(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run("train", "squared", "--headless", PUFFTUI_RUNS=str(tmp_path / "file" / "runs"))
    refused(result, "PUFFTUI_RUNS", status=1)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.fixture
def damaged(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A copy of the package to break: squared's library in it and the environment that uses it."""
    package = tmp_path / "site" / "pufftui"
    shutil.copytree(ROOT / "pufftui", package, ignore=shutil.ignore_patterns("__pycache__"))
    for room in ("envs", "trainer", "themes"):
        shutil.copytree(ROOT / room, package / room)
    for root in pufftui.envs.__path__:
        for library in Path(root).glob("*/*.so"):
            shutil.copy(library, package / "envs" / library.parent.name)
    paths = os.pathsep.join([str(tmp_path / "site"), sysconfig.get_path("purelib")])
    return next((package / "envs" / "squared").glob("*.so")), {"PYTHONPATH": paths}


def in_copy(tmp_path: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    # Without `site` (-S) Python does not see the installed package.
    return subprocess.run(
        [sys.executable, "-S", "-m", "pufftui", "train", "squared", "--headless"],
        cwd=tmp_path,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_missing_library(tmp_path: Path, damaged: tuple[Path, dict[str, str]]) -> None:
    library, environment = damaged
    library.unlink()
    refused(in_copy(tmp_path, environment), "squared.so", "missing", "pip install", status=1)
    assert not (tmp_path / "runs").exists()


def test_a_broken_library(tmp_path: Path, damaged: tuple[Path, dict[str, str]]) -> None:
    library, environment = damaged
    library.write_bytes(b"not a library")
    refused(in_copy(tmp_path, environment), "squared.so", "pip install", status=1)
    assert not (tmp_path / "runs").exists()


def test_a_library_of_another_interface(
    tmp_path: Path, damaged: tuple[Path, dict[str, str]]
) -> None:
    library, environment = damaged
    source = tmp_path / "old.c"
    source.write_text(
        '#include "puff_env.h"\n'
        "static const puff_descriptor old = {.abi = 99, .size = sizeof(puff_descriptor)};\n"
        "const puff_descriptor* puff_env(void) { return &old; }\n"
    )
    compiler = os.environ.get("CC", "cc")
    visible = ["-fPIC", "-shared", "-fvisibility=default"]
    subprocess.run([compiler, *visible, "-I", ROOT / "envs", source, "-o", library], check=True)
    refused(in_copy(tmp_path, environment), "99", "pip install", status=1)
    assert not (tmp_path / "runs").exists()


def test_a_bug_is_told_in_one_sentence(tmp_path: Path) -> None:
    code = (
        "import sys, pufftui.cli.envs as envs\n"
        "from pufftui.__main__ import main\n"
        "envs.env_names = lambda: 1 / 0\n"
        "sys.exit(main(['envs']))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    refused(result, "ZeroDivisionError", status=1)
    (details,) = tmp_path.glob("pufftui-*.txt")
    assert str(details) in result.stderr
    assert "Traceback" in details.read_text()


def test_a_reader_that_has_seen_enough(tmp_path: Path) -> None:
    command = f"{sys.executable} -m pufftui envs --json | head -n 1"
    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "[\n", "")


def test_envs(run: Run) -> None:
    listed = [line.split()[0] for line in run("envs").stdout.splitlines()]
    declared = json.loads(run("envs", "--json").stdout)
    assert [env["name"] for env in declared] == listed
    squared = next(env for env in declared if env["name"] == "squared")
    assert squared["score_range"] == [0, 1]
    assert squared["summary"]


def test_doctor(run: Run, tmp_path: Path) -> None:
    findings = {found["name"]: found for found in json.loads(run("doctor", "--json").stdout)}
    assert {"python", "compiler", "torch", "gpu", "terminal", "runs"} <= set(findings)
    assert findings["environments"]["status"] == "ok"
    assert findings["terminal"]["status"] == "warning"  # stdout is a pipe here
    assert all(found["fix"] for found in findings.values() if found["status"] != "ok")
    assert list(tmp_path.iterdir()) == []

    (tmp_path / "file").touch()
    result = run("doctor", "--json", PUFFTUI_RUNS=str(tmp_path / "file" / "runs"))
    assert result.returncode == 1
    findings = {found["name"]: found for found in json.loads(result.stdout)}
    assert findings["runs"]["status"] == "problem"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
def test_output_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "pufftui", "envs"]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            program, stdout=full, stderr=subprocess.PIPE, text=True, check=False, cwd=tmp_path
        )
    assert ended.returncode == 1
    assert ended.stderr.startswith("pufftui: The output cannot be written: ")
    assert "Something broke" not in ended.stderr


def test_only_what_is_close_is_proposed(run: Run) -> None:
    assert "Did you mean breakout?" in run("train", "braekout", "--headless").stderr
    assert "Did you mean" not in run("train", "nosuch", "--headless").stderr
