"""Stores that were damaged: every command says in words what it cannot read, and shows the rest."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import damage
from runs_on_disk import make_run

from pufftui.__main__ import main

SEEDS = (0, 2, 3, 11, 24, 26, 57, 71, 76, 112, 218, 257)


@pytest.fixture
def sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a whole run, with something in every table that people read."""
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path / "runs"))
    return make_run(
        "sound", scores=[0.01 * row for row in range(100)], tags=["a"], note="a word"
    ).path


def test_no_damage_ends_in_an_internal_error(sound: Path, tmp_path: Path):
    found = [
        line
        for seed in SEEDS
        for line in damage.rounds(sound, tmp_path / "hurt", range(seed, seed + 1))
    ]
    assert found == []


def test_a_text_that_is_not_utf_8_hides_no_run(
    sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    shutil.copytree(sound, sound.with_name("other"))
    with closing(sqlite3.connect(sound / "run.db")) as database:
        database.execute("INSERT INTO tag VALUES (CAST(? AS TEXT))", (b"caf\xe9",))
        database.commit()
    assert main(["runs"]) == 0
    told = capsys.readouterr().out
    assert "sound" in told
    assert "other" in told
    assert main(["runs", "tag:caf\ufffd"]) == 0
    assert "sound" in capsys.readouterr().out
