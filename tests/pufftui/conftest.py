"""Makes the modules that tests share importable, and gives every test its own run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent / "appearance"))
sys.path.insert(0, str(Path(__file__).parent / "program"))
sys.path.insert(0, str(Path(__file__).parent / "storm"))

from fakes import fake_session

from pufftui.envs.catalogue import EnvFolder
from pufftui.state.session import Session


@pytest.fixture(autouse=True)
def own_preferences(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No test sees what another one, or the person at this machine, prefers, or which colours are there."""
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("preferences")))


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """A run of squared that has been learning for 200 s, on a clock that stands still."""
    return fake_session(tmp_path / "squared-brisk-otter")


@pytest.fixture
def no_baselines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No policy comes with any game."""
    monkeypatch.setattr(EnvFolder, "baseline", tmp_path / "no baseline")
