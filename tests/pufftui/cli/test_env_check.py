"""`pufftui env check` as a command: its report, and the speed that it measures."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "envs" / "checking"))

from mistakes import AGES, COUNTED, MISTAKES, STEP_BEGINS, before, broken

from pufftui.cli import env, speed
from pufftui.envs.catalogue import env_names, find_env
from pufftui.envs.compiler import find_compiler
from pufftui.envs.scaffold import new_env

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="there is no C compiler")


@pytest.fixture(autouse=True)
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(speed, "SECONDS", 0.02)


def test_an_environment_that_prints_breaks_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    folder = broken(tmp_path, *MISTAKES["printing"].changes)
    assert env.run(["check", str(folder), "--steps", "1k", "--json"]) == 1
    report = json.loads(capfd.readouterr().out)
    (found,) = report["findings"]
    assert found["text"].startswith("It prints, for instance 'row ")
    assert report["ns_per_step"] > 0


def test_the_speed_of_what_is_good(tmp_path: Path):
    measured, found = speed.measure_speed(find_env(str(new_env("fine", tmp_path))), pace=0.0)
    assert measured.keys() == {"fine", *env_names()}
    assert min(measured.values()) > 0
    assert found == []


def test_a_crash_after_many_steps_is_named(tmp_path: Path):
    crash = f"{AGES}    if (game->age == 100) __builtin_trap();\n"
    folder = broken(tmp_path, COUNTED, before(STEP_BEGINS, crash))
    measured, (found,) = speed.measure_speed(find_env(str(folder)), pace=0.0)
    assert "sick" not in measured
    assert found.id == "crash"
    assert found.text.startswith("It crashes when its speed is measured, after many steps: ")
    assert "illegal instruction" in found.text


def test_a_slow_environment_is_measured_with_fewer_agents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(speed, "env_names", list)
    folder = broken(
        tmp_path,
        before("#include <string.h>", "#include <unistd.h>\n"),
        before(STEP_BEGINS, "    usleep(2000);\n"),
    )
    measured, found = speed.measure_speed(find_env(str(folder)), pace=0.002)
    assert found == []
    assert measured["sick"] > 2e6
