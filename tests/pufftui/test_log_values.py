"""Odd names and values that a script logs: each costs at most itself, and is told on stderr."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import enum
import io
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pufftui import log
from pufftui.__main__ import main
from pufftui.runs.summary import summarise
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.store import StoreReader

ODD = ["", "a\udcef", "\ud800", "a\0b", "\x1b[31m", "two\nlines", "=1+1"]
names = st.sampled_from(ODD) | st.text(max_size=12) | st.just("x" * 300) | st.integers() | st.none()
values = st.floats(allow_nan=False, allow_infinity=False, width=16) | st.integers(-(2**64), 2**64)


class Nameless:
    """What str() cannot name, nor float() count."""

    def __str__(self) -> str:
        raise ValueError("no name")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def storable(name: object) -> str:
    return str(name).encode("utf-8", "backslashreplace").decode()


def numbers(name: str) -> dict[str, list[float]]:
    reader = StoreReader(RunFolder.open(name).database)
    with contextlib.closing(reader):
        found = reader.metrics_after(0).values
        return {name: column.tolist() for name, column in found.items()}


def test_one_odd_name_costs_nobody_elses_numbers(root: Path, capsys: pytest.CaptureFixture[str]):
    with log.start("mine") as run:
        for step in range(3):
            run.log(step, {"loss": 1.0, "a\udcef": 2.0, "x" * 10_000: 3.0})
    found = numbers("mine")
    assert found["loss"] == [1.0] * 3
    assert found["x" * 10_000] == [3.0] * 3
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert told.startswith("pufftui.log: mine: ")
    assert "udcef" in told


def test_names_and_values_that_are_none_cost_themselves(
    root: Path, capsys: pytest.CaptureFixture[str]
):
    with log.start("mine") as run:
        for step in (np.int64(3), np.float32(4.0), 5.0):
            run.log(step, {Nameless(): 1.0, "loss": 1.0, "odd": Nameless(), "": 3.0})
        run.event("\udcef", kind="\ud800")
        run.finish(error=Nameless())  # type: ignore[arg-type]
    assert numbers("mine") == {"loss": [1.0] * 3, "": [3.0] * 3}
    assert summarise(RunFolder.open("mine")).state == "failed"
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2
    assert "Nameless is not a name for a metric" in told[0]
    assert "odd is left out" in told[1]


def test_a_script_that_invents_bad_names_does_not_fill_the_terminal(
    root: Path, capsys: pytest.CaptureFixture[str]
):
    with log.start("mine") as run:
        for step in range(1000):
            run.log(step, {f"text {step}": "none", "loss": 1.0})
    assert 10 < capsys.readouterr().err.count("\n") < 200


def test_an_odd_config_costs_its_odd_settings(root: Path, capsys: pytest.CaptureFixture[str]):
    config = {
        "lr": 0.5,
        "net": {"odd": Nameless(), "width": 64, Nameless(): 1},
        "a\udcef": "\ud800",
    }
    with log.start("mine", config) as run:
        run.log(1, {"loss": 1.0})
    settings = summarise(RunFolder.open("mine")).settings
    assert settings["config.lr"] == 0.5
    assert settings["config.net.width"] == 64
    assert settings[r"config.a\udcef"] == r"\ud800"
    assert numbers("mine") == {"loss": [1.0]}
    told = capsys.readouterr().err
    assert "without odd" in told
    assert "without a Nameless" in told


def test_a_name_of_a_run_that_is_none_is_told(root: Path, capsys: pytest.CaptureFixture[str]):
    with log.start(Nameless()) as run:  # type: ignore[arg-type]
        run.log(1, {"loss": 1.0})
    assert numbers(run.name) == {"loss": [1.0]}
    assert "its name cannot be read" in capsys.readouterr().err


def test_numbers_keep_their_digits(root: Path) -> None:
    counters = [123_456_789, np.int64(2**40 + 1), 2**53 - 1, np.float64(1_764_279_999.625)]
    with log.start("mine") as run:
        for step, counter in enumerate(counters):
            run.log(step, {"count": counter})
    assert numbers("mine") == {"count": [float(counter) for counter in counters]}
    table = io.StringIO()
    with contextlib.redirect_stdout(table):
        assert main(["runs", "export", "mine", "csv", "--output", "-"]) == 0
        assert main(["runs", "--json"]) == 0
    assert f",{123_456_789}\n" in table.getvalue()
    assert f",{2**40 + 1}\n" in table.getvalue()
    assert f",{2**53 - 1}\n" in table.getvalue()
    assert '"count": 1764279999.625' in table.getvalue()


@dataclasses.dataclass
class Losses:
    """What a training step gives."""

    policy: float
    value: np.float32


def test_what_is_nested_gets_its_name_before_a_slash(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loop: dict[str, object] = {}
    loop["again"] = loop
    with log.start("mine") as run:
        run.log(1, {"train": {"loss": Losses(0.5, np.float32(2)), "lr": 1}, "a": {}, "loss": 3})
        run.log(2, {"odd": loop})
    assert numbers("mine") == {
        "train/loss/policy": [0.5],
        "train/loss/value": [2.0],
        "train/lr": [1.0],
        "loss": [3.0],
    }
    assert capsys.readouterr().err.count("\n") == 1


class Kind(enum.Enum):
    """A choice of an algorithm."""

    FAST = "fast"


@dataclasses.dataclass
class Settings:
    """A config as scripts have it."""

    lr: np.float32
    net: dict[str, object]
    seed: int | None = None


def test_a_config_keeps_its_kinds(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = Settings(
        np.float32(0.5),
        {
            "width": np.int64(64),
            "sizes": (np.int32(1), 2),
            "range": np.array([0.0, 0.5]),
            "large": np.zeros((100, 100)),
            "kind": Kind.FAST,
            "on": np.bool_(True),
            "inner": argparse.Namespace(depth=3),
            "names": {"b", "a"},
            "count": 2**63,
        },
    )
    with log.start("mine", config) as run:
        run.log(1, {"loss": 1.0})
    found = summarise(RunFolder.open("mine")).settings
    assert {name.removeprefix("config."): value for name, value in found.items()} == {
        "log.program": sys.argv[0],
        "lr": 0.5,
        "net.width": 64,
        "net.sizes": [1, 2],
        "net.range": [0.0, 0.5],
        "net.large": str(np.zeros((100, 100))),
        "net.kind": "fast",
        "net.on": True,
        "net.inner.depth": 3,
        "net.names": ["a", "b"],
        "net.count": str(2**63),
        "seed": "None",
    }
    assert capsys.readouterr().err == ""


@settings(max_examples=25)
@given(st.dictionaries(names, values, max_size=5), st.integers(0, 2**63 - 1))
def test_every_number_arrives_and_can_be_shown(row: dict[object, float], step: int):
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setenv("PUFFTUI_RUNS", folder)
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors), log.start("mine") as run:
            run.log(step, {"loss": 0.5, **row})  # type: ignore[dict-item]
        kept: dict[str, list[float]] = {}
        for name, value in {"loss": 0.5, **row}.items():
            kept.setdefault(storable(name), []).append(value)
        found = numbers("mine")
        assert set(found) == set(kept)
        for name, expected in kept.items():
            assert found[name] == pytest.approx([float(np.mean(expected))], rel=1e-6)
        odd = any(storable(name) != str(name) for name in row)
        assert bool(errors.getvalue()) == odd
        table = io.StringIO()
        with contextlib.redirect_stdout(table):
            assert main(["runs", "export", "mine", "csv", "--output", "-"]) == 0
            assert main(["runs"]) == 0
        assert str(step) in table.getvalue()
