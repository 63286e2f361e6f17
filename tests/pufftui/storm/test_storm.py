"""Windows that change their size at any time: each panel at every size, and a short storm over all screens."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fakes import fake_app, fake_session
from storm import MemoryDriver
from storm_screens import KINDS, Scene, Screens
from textual.geometry import Size
from textual.pilot import Pilot

from pufftui.apps.training import PuffApp

WIDTHS = (*range(1, 6), 8, 13, *range(17, 22), 33, 60, 300)
HEIGHTS = (*range(1, 7), 8, 12, 18, 80)


@pytest.fixture
def screens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path / "runs"))
    monkeypatch.chdir(tmp_path)
    screens = Screens()
    yield screens
    screens.close()


async def _panels_draw(scene: Scene) -> None:
    main = scene.app.main
    async with scene.app.run_test(size=(120, 40)) as pilot:
        for _ in range(10):
            scene.clock.now += 1
            getattr(scene.app, "tick", main.tick)()
            await pilot.pause()
        for panel in main.panels:
            for width in WIDTHS:
                for height in HEIGHTS:
                    for line in panel.lines(width, height):
                        assert panel.strip(line, width).cell_length == width


@pytest.mark.parametrize("kind", dict.fromkeys(KINDS))
def test_every_panel_draws_at_every_size(screens: Screens, kind: str) -> None:
    with screens.open(kind, random.Random(3)) as scene:
        asyncio.run(_panels_draw(scene))


async def _shrink_while_painting(app: PuffApp, pilot: Pilot[Any]) -> None:
    """Between a new layout and its news, every turn of the loop is followed by a tick."""
    driver = app._driver
    assert isinstance(driver, MemoryDriver)

    async def become(width: int, height: int) -> None:
        driver.resize(width, height)
        driver.tell_size()
        turns = 0
        while turns < 10 and app.is_running:
            await asyncio.sleep(0)
            app.session.clock.now += 1
            app.session.arena.step()
            app.tick()
            turns += app.main.size == Size(width, height)

    async def press(key: str) -> None:
        driver.type(key)
        await pilot.pause()

    for _ in range(6):
        await become(200, 60)
        await press("s")
        await press("s")
        await become(60, 18)
        await press("s")
        if not app.is_running:
            return
    app.exit()


def test_a_window_may_shrink_while_it_is_painted(tmp_path: Path) -> None:
    app = fake_app(fake_session(tmp_path / "squared-brisk-otter"))
    app.driver_class = MemoryDriver
    asyncio.run(app.run_async(auto_pilot=partial(_shrink_while_painting, app)))
    assert app._exception is None
    assert app.return_code == 0


def test_a_short_storm_breaks_nothing() -> None:
    storm = [sys.executable, str(Path(__file__).with_name("storm.py"))]
    done = subprocess.run(
        [*storm, "--rounds", "8", "--keys", "160"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 exceptions" in done.stdout


async def test_the_palette_stands_any_size(tmp_path: Path) -> None:
    app = fake_app(fake_session(tmp_path / "squared-brisk-otter"))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("ctrl+p", "t")
        await pilot.pause(0.3)
        assert app.screen is not app.main
        for width in range(1, 13):
            await pilot.resize_terminal(width, 20)
            await pilot.pause()
        await pilot.press("pagedown", "pageup", "escape")
        await pilot.pause()
        assert app.screen is app.main


async def test_the_palette_goes_on_without_its_list(tmp_path: Path) -> None:
    """It goes from inside outwards, while its search and its timers are still at work."""
    app = fake_app(fake_session(tmp_path / "squared-brisk-otter"))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("ctrl+p", "t")
        await pilot.pause(0.3)
        palette = app.screen
        await palette.query("CommandList, LoadingIndicator").remove()
        for flag in ("_show_busy", "_list_visible", "_show_busy"):
            setattr(palette, flag, not getattr(palette, flag))
            await pilot.pause()
        await pilot.press("x", "down", "enter", "escape")
        await pilot.pause(0.3)
        assert app.is_running
