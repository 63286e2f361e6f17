"""What a game says beside its picture, on the real screens, and the keys that only such games have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fakes import fake_app, fake_session, screen_text, settle

from pufftui.envs.words import RowKind, SheetRow, Story, Weight
from pufftui.keys.game import game_hints
from pufftui.state.session import Session
from pufftui.trainer.messages.command import NextView, PressKey, ReleaseKey

SIZES = [(80, 24), (120, 40), (200, 60)]
SHEET = (
    SheetRow(RowKind.BAR, "health", "50/99", share=0.5, colour=0x5BD75B),
    SheetRow(RowKind.TITLE, "sell: which thing?"),
    SheetRow(RowKind.FACT, "\x1b[31mhelm 3", "others: 6 gold", choice=6, colour=0x4DB5FF),
)
STORIES = (Story(310, Weight.NEWS, "equips a tier-4 sword\x1b[2J"),)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    session = fake_session(tmp_path / "nmmo-brisk-otter", env="nmmo")
    session.arena._frame = replace(session.arena._frame, sheet=SHEET, stories=STORIES)
    return session


@pytest.mark.parametrize("size", SIZES)
async def test_it_stands_beside_the_game_with_nothing_harmful(
    session: Session, size: tuple[int, int]
) -> None:
    app = fake_app(session)
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        text = screen_text(app)
        for words in ("50/99", "sell: which thing?", "6 gold", "stories", "agent 311 equips"):
            assert words in text, words
        assert "\x1b" not in text
        assert "1 ■ ␛[31m" in text


async def test_other_games_have_none(tmp_path: Path) -> None:
    app = fake_app(fake_session(tmp_path / "breakout-brisk-otter", env="breakout"))
    async with app.run_test(size=(200, 60)) as pilot:
        await settle(app, pilot)
        assert not app.screen.sheet.is_on_screen
        assert "backspace:" not in screen_text(app)


async def test_a_key_goes_to_the_next_view_also_while_one_plays(session: Session) -> None:
    app, sent = fake_app(session), session.arena.sent
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        assert "backspace: world" in screen_text(app)
        await pilot.press("backspace")
        assert sent[-1] == NextView()
        await pilot.press("m")
        await settle(app, pilot)
        await pilot.press("backspace")
        assert sent[-1] == NextView()
        assert app.screen.player.playing


def test_keys_that_stand_on_the_sheet_need_no_other_place(session: Session) -> None:
    labels = [label for _, label in game_hints(session.descriptor)]
    assert labels[:2] == ["down", "up"]
    assert "attack" in labels
    assert "run left" in labels
    assert not {"key 1", "key 12", "buy", "sell"} & set(labels)


async def test_keys_of_menus_are_tapped(session: Session) -> None:
    app, sent = fake_app(session), session.arena.sent
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press("m")
        await pilot.press("d")
        await pilot.press("b")
        assert sent[-4:] == [PressKey("d"), ReleaseKey("d"), PressKey("b"), ReleaseKey("b")]
