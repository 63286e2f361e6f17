"""Pictures of the screens over a run of pretenders, compared with those that a person has looked at.

After a change that is meant, `pytest tests/pufftui/screens/test_pictures.py --snapshot-update` takes them
anew; look at each, and at how it differs from the one before, in any browser.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import textual
from fakes import SETTINGS, fake_app, fake_session, settle
from textual.pilot import Pilot

from pufftui.apps.training import PuffApp

TAKEN_WITH = "8.2.8"
"""Other versions of Textual draw a frame or a scroll bar otherwise, which is no fault of ours."""

SIZES = [(80, 24), (120, 36), (200, 60)]
THEMES = ["midnight", "paper"]

pytestmark = pytest.mark.skipif(
    textual.__version__ != TAKEN_WITH, reason=f"the pictures were taken with Textual {TAKEN_WITH}"
)


def dashboard(tmp_path: Path, theme: str, env: str = "breakout", **wishes: bool) -> PuffApp:
    session = fake_session(tmp_path / f"{env}-brisk-otter", env=env)
    session.runner.changes = {"settings": SETTINGS}
    return fake_app(session, theme, **wishes)


def after(*keys: str) -> Callable[[Pilot[None]], object]:
    """Lets the screen come to rest, presses keys, and lets it rest again."""

    async def come_to_rest(pilot: Pilot[None]) -> None:
        for _ in range(3):
            await settle(pilot.app, pilot)
        await pilot.press(*keys)
        for _ in range(2):
            await settle(pilot.app, pilot)

    return come_to_rest


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_dashboard(snap_compare, tmp_path: Path, theme: str, size: tuple[int, int]) -> None:
    app = dashboard(tmp_path, theme)
    assert snap_compare(app, terminal_size=size, run_before=after())


@pytest.mark.parametrize(
    ("theme", "keys"),
    [
        ("paper", ["m"]),
        ("midnight", ["2"]),
        ("paper", ["3"]),
        ("midnight", ["4"]),
        ("paper", ["5"]),
        ("midnight", ["6"]),
        ("paper", ["e", "down"]),
        ("midnight", ["question_mark"]),
        ("paper", ["q"]),
    ],
    ids="playing score learning machine log charts change help leaving".split(),
)
def test_what_keys_bring(snap_compare, tmp_path: Path, theme: str, keys: list[str]) -> None:
    app = dashboard(tmp_path, theme)
    assert snap_compare(app, terminal_size=(120, 36), run_before=after(*keys))


def test_before_an_audience(snap_compare, tmp_path: Path) -> None:
    app = dashboard(tmp_path, "aurora", stream=True)
    assert snap_compare(app, terminal_size=(160, 45), run_before=after())
