"""Native code of an environment that ends the process, or prints: it is told, and stays apart."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from processes import PUFFTUI, Terminal

ENDS = """
    static int steps;
    const char* how = getenv("PUFF_TEST_END");
    if (steps == 2000 && how != NULL && strcmp(how, "exit early") == 0) exit(0);
    if (++steps > 600000 && how != NULL) {
        if (strcmp(how, "segfault") == 0) *(volatile int*)0 = 1;
        if (strcmp(how, "abort") == 0) abort();
        if (strcmp(how, "exit") == 0) exit(0);
        if (strcmp(how, "print") == 0 && steps % 10000 == 1) puts("{\\"hello\\": 1}");
    }
"""

SMALL = (
    *("--vec.agents", "64", "--train.horizon", "16", "--train.minibatch-size", "1024"),
    *("--policy.hidden", "32", "--policy.memory", "none", "--run-name", "it"),
)


@pytest.fixture(scope="module")
def falling(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an environment that ends as a variable says, built once."""
    folder = tmp_path_factory.mktemp("native")
    command = [*PUFFTUI, "env", "new", "falling"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    source = folder / "falling" / "falling.c"
    text = source.read_text()
    begins = re.search(r"static void falling_step\(.*?\{\n", text, re.DOTALL)
    assert begins is not None
    text = f"#include <stdio.h>\n#include <stdlib.h>\n{text[: begins.end()]}{ENDS}{text[begins.end() :]}"
    source.write_text(text)
    return folder / "falling"


@pytest.fixture
def environment(falling: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path / "runs"))
    return falling


def train(environment: Path, how: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PUFFTUI, "train", str(environment), "--headless", *SMALL, *arguments],
        env=os.environ | {"PUFF_TEST_END": how},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("how", "status", "words"),
    [
        ("segfault", -signal.SIGSEGV, "segmentation fault"),
        ("abort", -signal.SIGABRT, "abort"),
        ("exit", 1, "a call of exit()"),
    ],
)
def test_an_end_without_a_screen_is_told(
    environment: Path, how: str, status: int, words: str
) -> None:
    ended = train(environment, how, "--json")
    assert ended.returncode == status, ended.stderr
    place = r" \(falling_step at falling\.c:\d+\)" if shutil.which("addr2line") else ""
    told = f"pufftui: {re.escape(words)} in the code of {re.escape(str(environment))}{place} in run it\n"
    assert len(re.findall(told, ended.stderr)) == 1, ended.stderr
    assert "log.txt\n" in ended.stderr
    assert "pufftui resume it\n" in ended.stderr
    assert ended.stderr.endswith(f"pufftui env check {environment}\n")
    last = json.loads(ended.stdout.splitlines()[-1])
    assert (last["done"], last["reason"], last["run"]) == (False, "crashed", "it")
    assert last["step"] > 0


def test_an_end_before_the_first_report_is_told(environment: Path) -> None:
    ended = train(environment, "exit early")
    assert ended.returncode == 1
    assert "pufftui: a call of exit() in the code of" in ended.stderr


def test_what_an_environment_prints_stays_apart_from_the_reports(
    environment: Path, tmp_path: Path
) -> None:
    ended = train(environment, "print", "--json", "--train.total-steps", "1M")
    assert ended.returncode == 0, ended.stderr
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert lines[-1]["done"]
    assert not any("hello" in line for line in lines)
    assert "hello" not in ended.stderr
    assert '{"hello": 1}' in (tmp_path / "runs" / "it" / "log.txt").read_text()


def test_a_run_that_ends_well_says_nothing_of_it(environment: Path) -> None:
    ended = train(environment, "", "--train.total-steps", "20k")
    assert ended.returncode == 0
    assert "in the code of" not in ended.stderr
    assert ended.stdout.startswith("it finished: ")


@pytest.mark.skipif(sys.platform != "linux", reason="the terminal is driven as on Linux")
def test_under_a_screen_it_is_told_as_well(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUFF_TEST_END", "segfault")
    terminal = Terminal("train", str(environment), *SMALL)
    try:
        assert terminal.wait() == -signal.SIGSEGV
        assert "segmentation fault in the code of" in terminal.text
        assert "pufftui env check" in terminal.text
    finally:
        terminal.close()
