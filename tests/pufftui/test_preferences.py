"""The small file of a person's choices: kept whole, extended by others, never the cause of a crash."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pufftui.envs.errors import PuffError
from pufftui.preferences import NAME, choose, chosen, config_folder, to_toml


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return config_folder() / NAME


def test_what_was_chosen_is_there_next_time(file: Path) -> None:
    assert chosen("screen") == {}
    choose("screen", theme="paper")
    choose("layout", charts=["score", "entropy"], zoom=0.5, open=True)
    choose("screen", ascii=False)
    assert chosen("screen") == {"theme": "paper", "ascii": False}
    assert chosen("layout") == {"charts": ["score", "entropy"], "zoom": 0.5, "open": True}
    choose("screen", theme=None)
    assert chosen("screen") == {"ascii": False}
    assert [entry.name for entry in file.parent.iterdir()] == [NAME]


def test_what_others_have_written_stays(file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_text(
        'newer = 1979-05-27T07:32:00Z\n[screen]\nhue = "red"\n[screen.deep."odd key"]\nx = [1, {y = 2}]\n'
    )
    before = tomllib.loads(file.read_text())
    choose("screen", theme="paper")
    after = tomllib.loads(file.read_text())
    assert after["screen"].pop("theme") == "paper"
    assert after == before


def test_a_broken_file_is_neither_used_nor_lost(file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_text("[screen\ntheme = ")
    assert chosen("screen") == {}
    with pytest.raises(PuffError, match=NAME):
        choose("screen", theme="paper")
    assert file.read_text() == "[screen\ntheme = "
    file.write_text('screen = "paper"\n')
    assert chosen("screen") == {}
    choose("screen", theme="paper")
    assert chosen("screen") == {"theme": "paper"}


def test_a_place_that_cannot_be_written_is_told(file: Path) -> None:
    file.parent.parent.mkdir(parents=True)
    file.parent.write_text("a file where a folder should be")
    assert chosen("screen") == {}
    with pytest.raises(PuffError):
        choose("screen", theme="paper")


VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.dates(min_value=date(1, 1, 1))
    | st.times().filter(lambda t: t.tzinfo is None)
    | st.datetimes(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), VALUES))
def test_everything_toml_can_hold_comes_back(tables) -> None:
    assert tomllib.loads(to_toml(tables)) == tables


def test_the_folder_is_the_one_of_the_standard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/elsewhere")
    assert config_folder() == Path("/elsewhere/pufftui")
    monkeypatch.setenv("XDG_CONFIG_HOME", "")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert config_folder() == Path("/home/somebody/.config/pufftui")
