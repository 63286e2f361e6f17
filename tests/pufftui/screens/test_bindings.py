"""Every key of every screen does what its table says, and nothing else."""

from __future__ import annotations

import pytest
from fakes import fake_app
from textual.binding import Binding

from pufftui.keys.key import Key
from pufftui.screens.attach import AttachScreen
from pufftui.screens.compare import CompareScreen
from pufftui.screens.home import HomeScreen
from pufftui.screens.live import LiveScreen
from pufftui.screens.logged import LoggedScreen
from pufftui.screens.play import PlayScreen
from pufftui.screens.watch import WatchScreen
from pufftui.state.session import Session

SCREENS = [
    AttachScreen,
    CompareScreen,
    HomeScreen,
    LiveScreen,
    LoggedScreen,
    PlayScreen,
    WatchScreen,
]


@pytest.mark.parametrize("screen", SCREENS)
def test_what_a_table_names_is_there(screen) -> None:
    bound = {
        key: binding.action
        for binding in screen.BINDINGS
        if isinstance(binding, Binding)
        for key in binding.key.split(",")
    }
    for key in screen.KEYS:
        name = key.action.partition("(")[0]
        assert callable(getattr(screen, f"action_{name}", None)), key.id
        for pressed in key.keys:
            assert bound[pressed] == key.action


ELSEWHERE = ("hand_back", "palette")
"""One only counts while a person plays, the other is Textual's own; test_live.py presses both."""


@pytest.mark.parametrize(
    "key", [key for key in LiveScreen.KEYS if key.id not in ELSEWHERE], ids=lambda key: key.id
)
async def test_pressing_it_runs_its_action(session: Session, monkeypatch, key: Key) -> None:
    name, _, arguments = key.action.rstrip(")").partition("(")
    ran: list[str] = []

    def action(_self: LiveScreen, *values: object) -> None:
        ran.append(",".join(map(repr, values)))

    monkeypatch.setattr(LiveScreen, f"action_{name}", action)
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        for pressed in key.keys:
            await pilot.press(pressed)
    assert ran == [arguments] * len(key.keys)
