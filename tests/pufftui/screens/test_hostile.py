"""Texts of a stranger's run on every screen and in every dialog: nothing raw, and the layout holds."""

from __future__ import annotations

import importlib
import json
import pkgutil
import random
import sqlite3
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import storm_screens
from fakes import FakeReader, fake_app, fake_session, settle
from rich.cells import cell_len
from runs_on_disk import make_run
from textual.app import App
from textual.screen import Screen

import pufftui.screens
from pufftui import log
from pufftui.apps.options import Wishes
from pufftui.apps.watch import watch_session
from pufftui.screens.arena import ArenaScreen
from pufftui.screens.dialogs.alerts import AlertsScreen
from pufftui.screens.dialogs.ask import AgentScreen, AskScreen, ChangeScreen, NoteScreen
from pufftui.screens.dialogs.critical import CriticalScreen
from pufftui.screens.dialogs.dialog import Dialog
from pufftui.screens.dialogs.end import ErrorScreen, SummaryScreen
from pufftui.screens.dialogs.explain import ExplainScreen
from pufftui.screens.dialogs.filter import FilterScreen
from pufftui.screens.dialogs.help import HelpScreen
from pufftui.screens.dialogs.leave import LeaveScreen
from pufftui.screens.dialogs.quit import QuitScreen
from pufftui.screens.dialogs.reveal import RevealScreen
from pufftui.screens.live import LiveScreen
from pufftui.screens.palette import Palette
from pufftui.screens.panels import PanelScreen
from pufftui.screens.run import RunScreen
from pufftui.state.session import Session
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.store import AlertRow, Event

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202eevil [bold]=1+1[/bold] 実験\t\r\nsecond " + "long " * 60
SIZES = [(200, 60), (80, 24)]

ALERT = AlertRow(
    1, 1, 1.0, "critical", EVIL, EVIL, EVIL, {EVIL: EVIL, "rule": EVIL}, EVIL, None, None
)

Builder = Callable[[App[None], Session], Screen[None]]

DIALOGS: dict[type[Screen[None]], Builder] = {
    AlertsScreen: lambda app, _: AlertsScreen(app.look, app.main.alerts.known, print, print, print),
    AgentScreen: lambda app, _: AgentScreen(app.look, 8, print),
    ChangeScreen: lambda app, _: ChangeScreen(app.look, {"train.clip": 0.2}, print),
    NoteScreen: lambda app, _: NoteScreen(app.look, print),
    CriticalScreen: lambda app, _: CriticalScreen(app.look, ALERT, print, print),
    SummaryScreen: lambda app, session: SummaryScreen(
        app.look,
        EVIL,
        session.descriptor,
        session.runner.latest,
        app.main.charts.charting.history,
        [replace(ALERT, level="info")],
    ),
    ErrorScreen: lambda app, session: ErrorScreen(
        app.look, EVIL, EVIL, replace(session.runner.latest, failure=EVIL, failure_hint=EVIL)
    ),
    ExplainScreen: lambda app, _: ExplainScreen(app.look, EVIL, app.main.charts.charting),
    FilterScreen: lambda app, _: FilterScreen(app.look, EVIL, lambda _: None),
    HelpScreen: lambda app, session: HelpScreen(app.look, session.descriptor, app.main.KEYS),
    LeaveScreen: lambda app, session: LeaveScreen(app.look, session),
    QuitScreen: lambda app, session: QuitScreen(app.look, session, print),
    RevealScreen: lambda app, _: RevealScreen(app.look, print),
}
BASES = (ArenaScreen, AskScreen, Dialog, PanelScreen, RunScreen)
"""What others are made of; nobody sees them."""


class EvilReader(FakeReader):
    """A store of which every text is hostile."""

    def events_after(self, row: int) -> list[Event]:
        return [Event(1, 1, 1.0, "note", EVIL), Event(2, 2, 2.0, EVIL, EVIL)][row:]

    def alerts_after(self, row: int) -> list[AlertRow]:
        return [ALERT][row:]


def clean(app: App[None], size: tuple[int, int]) -> None:
    """Nothing that steers a terminal is on the screen, and every line is as wide as it is."""
    for line in [strip.text for strip in app.screen._compositor.render_strips()]:
        odd = [
            letter for letter in line if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl")
        ]
        assert not odd, (app.screen, odd, line)
        assert cell_len(line) == size[0], (app.screen, line)


@pytest.fixture
def evil_session(tmp_path: Path) -> Session:
    session = fake_session(tmp_path / EVIL[:40].replace("/", ""))
    actions = tuple(
        replace(
            action,
            name=EVIL,
            choices=tuple(
                replace(choice, label=f"{EVIL} {choice.label}") for choice in action.choices
            ),
        )
        for action in session.descriptor.actions
    )
    session.runner.changes = {"device": EVIL, "activity": EVIL, "warning": EVIL}
    reader = EvilReader(session.runner)
    descriptor = replace(session.descriptor, name=EVIL, actions=actions)
    return replace(session, descriptor=descriptor, open_store=lambda: reader)


@pytest.mark.parametrize("size", SIZES)
async def test_the_dashboard_and_every_dialog(evil_session: Session, size) -> None:
    app = fake_app(evil_session)
    async with app.run_test(size=size, notifications=True) as pilot:
        await settle(app, pilot)
        await settle(app, pilot)
        for key in ("0", "1", "2", "3", "4", "5", "6", "s", "s"):
            await pilot.press("escape", key)
            await settle(app, pilot)
            clean(app, size)
        app.notify(EVIL, title=EVIL)
        await settle(app, pilot)
        clean(app, size)
        for kind, build in DIALOGS.items():
            while app.screen is not app.main:
                app.pop_screen()
                await pilot.pause()
            app.push_screen(build(app, evil_session))
            await settle(app, pilot)
            assert type(app.screen) is kind
            clean(app, size)


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path))
    for name in ("one", "two"):
        metrics = {EVIL: [1.0] * 9, "=1+1": [2.0] * 9}
        folder = make_run(
            name,
            scores=[0.1] * 9,
            metrics=metrics,
            note=EVIL,
            tags=[EVIL],
            events=[f"start {EVIL}"],
        )
        with sqlite3.connect(folder.database) as store:
            for fact in ("device", "environment", "action_names"):
                store.execute("insert or replace into fact values (?, ?)", (fact, json.dumps(EVIL)))
    with log.start("logged", {EVIL: EVIL}) as run:
        run.log(0, {EVIL: 1.0, "loss": 2.0})
        run.event(EVIL)
    return tmp_path


@contextmanager
def scene(kind: str) -> Iterator[App[None]]:
    """The application of a kind over the hostile runs."""
    wishes, chance = Wishes(), random.Random(1)
    if kind == "home":
        yield storm_screens._home(wishes).app
    elif kind == "compare":
        yield storm_screens._compare(chance, wishes).app
    else:
        folder = make_run("held", events=["start"], locked=True) if kind == "attach" else None
        opened = {
            "watch": lambda: storm_screens._watched(watch_session(RunFolder.open("one")), wishes),
            "logged": lambda: storm_screens._watched(
                watch_session(RunFolder.open("logged")), wishes
            ),
            "attach": lambda: storm_screens._attached(wishes, folder),
            "play": lambda: storm_screens._play(chance, wishes),
        }[kind]
        with opened() as found:
            yield found.app
        if folder is not None:
            folder.release()


KINDS = {
    "home": "HomeScreen",
    "compare": "CompareScreen",
    "watch": "WatchScreen",
    "logged": "LoggedScreen",
    "attach": "AttachScreen",
    "play": "PlayScreen",
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", KINDS)
async def test_every_other_screen(runs: Path, kind: str, size) -> None:
    with scene(kind) as app:
        async with app.run_test(size=size, notifications=True) as pilot:
            await pilot.pause(0.5)
            assert type(app.main).__name__ == KINDS[kind]
            clean(app, size)
            for key in ("6", "5", "a", "d", "right", "down", "2", "question_mark"):
                await pilot.press(key)
                await pilot.pause(0.1)
                clean(app, size)
                await pilot.press("escape") if app.screen is not app.main else None


def test_no_screen_is_left_out() -> None:
    found = {Palette}
    for module in pkgutil.walk_packages(pufftui.screens.__path__, "pufftui.screens."):
        for thing in vars(importlib.import_module(module.name)).values():
            if isinstance(thing, type) and issubclass(thing, Screen):
                found.add(thing)
    found = {kind for kind in found if kind.__module__.startswith("pufftui.screens")}
    seen = {*DIALOGS, *BASES, LiveScreen, Palette}  # the palette is Textual's, over our own words
    assert {kind.__name__ for kind in found - seen} == set(KINDS.values())
