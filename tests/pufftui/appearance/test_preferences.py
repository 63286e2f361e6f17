"""What a person prefers: kept in one small file, extended by others, never the cause of a crash."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pufftui.appearance.preferences import FILE, keep, kept, preference_folder, to_toml


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return preference_folder() / FILE


def test_what_was_kept_is_there_next_time(file: Path) -> None:
    assert kept("screen") == {}
    keep("screen", {"theme": "paper"})
    chosen = {"text": 'a "quoted" ü 🎈', "zoom": 0.5, "open": True, "list": ["x", "y"]}
    keep("charts", chosen)
    assert kept("screen") == {"theme": "paper"}
    assert kept("charts") == chosen
    assert kept("other") == {}
    keep("charts", {})
    assert kept("charts") == {}
    assert [entry.name for entry in file.parent.iterdir()] == [FILE]


def test_what_others_have_written_stays(file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_text(
        'newer = 1979-05-27T07:32:00Z\n[other]\nhue = "red"\n[other.deep."odd key"]\nx = [1, {y = 2}]\n'
    )
    before = tomllib.loads(file.read_text())
    keep("screen", {"theme": "paper"})
    after = tomllib.loads(file.read_text())
    assert after.pop("screen") == {"theme": "paper"}
    assert after == before


@pytest.mark.parametrize("broken", ["= broken", "[screen\ntheme = ", 'screen = "paper"\n', "\0"])
def test_a_broken_file_is_none(file: Path, broken: str) -> None:
    file.parent.mkdir(parents=True)
    file.write_text(broken)
    assert kept("screen") == {}
    keep("screen", {"theme": "paper"})
    assert kept("screen") == {"theme": "paper"}


def test_what_cannot_be_written_is_not_kept(file: Path) -> None:
    file.parent.parent.mkdir(parents=True)
    file.parent.write_text("a file where a folder should be")
    keep("screen", {"theme": "paper"})
    assert kept("screen") == {}


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
    assert preference_folder() == Path("/elsewhere/pufftui")
    monkeypatch.setenv("XDG_CONFIG_HOME", "")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert preference_folder() == Path("/home/somebody/.config/pufftui")
