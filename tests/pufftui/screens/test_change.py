"""The dialog for live settings, and the other ways to it and back."""

from __future__ import annotations

import pytest
from fakes import SETTINGS, choose_command, fake_app, screen_text, settle

from pufftui.screens.dialogs.ask import ChangeScreen
from pufftui.state.session import Session
from pufftui.trainer.messages.command import SetField, UndoChange


@pytest.fixture(autouse=True)
def settings(session: Session) -> None:
    session.runner.changes = {"settings": SETTINGS}


async def test_a_setting_is_chosen_and_its_value_typed_over(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press("e", "down", "down", "down", "down", "up")
        await settle(app, pilot)
        assert "▸ clip " in screen_text(app)
        assert "clip 0.2" in app.screen.line.value
        await pilot.press(*"0.1", "enter")
        await settle(app, pilot)
        assert session.runner.sent == [SetField("train.clip", 0.1)]
        assert app.screen is app.main


async def test_up_from_nowhere_is_the_last_one(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("e", "up")
        await settle(app, pilot)
        assert app.screen.line.value == "clip 0.2"


@pytest.mark.parametrize("keys", [("E",), ("e", "ctrl+r"), ("e", "down", "ctrl+r")])
async def test_undoing(session: Session, keys: tuple[str, ...]) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press(*keys)
        await settle(app, pilot)
        assert session.runner.sent == [UndoChange()]
        assert app.screen is app.main


async def test_the_palette_leads_to_each(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await choose_command(pilot, "change gamma")
        assert isinstance(app.screen, ChangeScreen)
        assert app.screen.line.value == "gamma 0.995"
        await pilot.press(*"0.9", "enter")
        await settle(app, pilot)
        assert session.runner.sent == [SetField("train.gamma", 0.9)]
