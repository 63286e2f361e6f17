"""Every key of every screen does what its table says, and nothing else."""

from __future__ import annotations

import pytest
from fakes import fake_app
from textual.binding import Binding

from pufftui.keys.bindings import bound
from pufftui.keys.key import Key
from pufftui.screens.attach import AttachScreen
from pufftui.screens.compare import CompareScreen
from pufftui.screens.home import HomeScreen
from pufftui.screens.live import LiveScreen
from pufftui.screens.logged import LoggedScreen
from pufftui.screens.panels import PanelScreen
from pufftui.screens.play import PlayScreen
from pufftui.screens.watch import WatchScreen
from pufftui.state.session import AttachSession, Session, WatchSession
from pufftui.trainer.monitor.system import GpuSampler, HostSampler

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
def test_what_a_table_names_is_bound(screen) -> None:
    keys = {
        key: binding.action
        for binding in screen.BINDINGS
        if isinstance(binding, Binding)
        for key in binding.key.split(",")
    }
    for key in screen.KEYS:
        for pressed in key.keys:
            assert keys[pressed] == bound(key.action)


def own_screens(session: Session) -> list[PanelScreen]:
    """A screen of each kind whose keys do something, which is on no terminal."""
    look = fake_app(session).look
    host, gpu = HostSampler(None), GpuSampler()
    watched = {"runner": session.runner, "arena": session.arena, "folder": session.folder}
    watched |= {"descriptor": session.descriptor, "open_store": session.open_store}
    watched |= {"no_game": "", "logged": False}
    return [
        LiveScreen(session, look, host, gpu),
        WatchScreen(WatchSession(**watched), look, host, gpu),
        LoggedScreen(WatchSession(**watched), look, host, gpu),
        AttachScreen(AttachSession(**watched, control=session.runner), look, host, gpu),
    ]


def test_what_a_table_names_is_there(session: Session) -> None:
    for screen in (*own_screens(session), *(fake_app(session).main,)):
        for key in screen.KEYS:
            controller, dot, name = key.action.partition("(")[0].partition(".")
            where = screen.controllers[controller] if dot else screen
            assert callable(getattr(where, name if dot else f"action_{controller}", None)), key.id
    for kind in (CompareScreen, HomeScreen):
        for key in kind.KEYS:
            name = key.action.partition("(")[0]
            assert callable(getattr(kind, f"action_{name}", None)), key.id


ELSEWHERE = ("hand_back", "palette", "suspend")
"""The first only counts while a person plays, the others are the application's; other tests press them."""


@pytest.mark.parametrize(
    "key", [key for key in LiveScreen.KEYS if key.id not in ELSEWHERE], ids=lambda key: key.id
)
async def test_pressing_it_runs_its_action(session: Session, monkeypatch, key: Key) -> None:
    name, _, arguments = bound(key.action).removesuffix(")").partition("(")
    ran: list[str] = []

    # Textual passes as many values as it counts parameters.
    def action(_self: LiveScreen, a: object = None, b: object = None, c: object = None) -> None:
        ran.append(", ".join(repr(value) for value in (a, b, c) if value is not None))

    monkeypatch.setattr(LiveScreen, f"action_{name}", action)
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        for pressed in key.keys:
            await pilot.press(pressed)
    assert ran == [arguments] * len(key.keys)


MOST_METHODS = 40
"""A screen has its own and those of its bases; what it does beyond that is done by controllers."""

LONGEST_CHAIN = 5
"""Classes of ours from a screen to Textual's."""


def test_screens_have_controllers() -> None:
    """Prints the length of each screen's chain of classes, and the count of its methods."""
    for screen in SCREENS:
        chain = [kind for kind in screen.__mro__ if kind.__module__.startswith("pufftui.")]
        methods = {
            name
            for kind in chain
            for name, value in vars(kind).items()
            if callable(value) or isinstance(value, property)
        }
        print(f"{screen.__name__:14} {len(chain)} classes, {len(methods)} methods")
        assert len(methods) <= MOST_METHODS, sorted(methods)
        assert len(chain) <= LONGEST_CHAIN, [kind.__name__ for kind in chain]


@pytest.mark.parametrize("screen", SCREENS)
def test_every_screen_names_the_way_to_the_shell(screen) -> None:
    assert [key.keys for key in screen.KEYS if key.id == "suspend"] == [("ctrl+z",)]
