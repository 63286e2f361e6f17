"""Which themes there are, a person's own among them, and which one is worn the next time."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import fake_app, fake_session, settle

import pufftui.themes
from pufftui.appearance.preferences import kept, preference_folder
from pufftui.appearance.theme import DEFAULT_THEME
from pufftui.appearance.wardrobe import Wardrobe, remember
from pufftui.envs.errors import PuffError
from pufftui.state.session import Session

MIDNIGHT = (Path(pufftui.themes.__path__[0]) / "midnight.toml").read_text()


def own_theme(name: str, text: str = MIDNIGHT) -> None:
    folder = preference_folder() / "themes"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.toml").write_text(text)


def test_a_persons_own_theme_joins_the_others_and_may_replace_one() -> None:
    bundled = set(Wardrobe.open().looks)
    own_theme("mine", MIDNIGHT.replace("Midnight", "Mine"))
    own_theme("paper", MIDNIGHT.replace("Midnight", "My paper"))
    wardrobe = Wardrobe.open()
    assert set(wardrobe.looks) == bundled | {"mine"}
    assert wardrobe.looks["paper"].title == "My paper"
    assert wardrobe.pick("mine") == "mine"
    assert wardrobe.after("mine") == DEFAULT_THEME


def test_a_broken_one_is_left_out_and_told() -> None:
    own_theme("broken", "title = 3")
    own_theme("worse", "[")
    wardrobe = Wardrobe.open()
    assert not {"broken", "worse"} & set(wardrobe.looks)
    assert len(wardrobe.complaints) == 2
    with pytest.raises(PuffError, match=r"broken\.toml lacks title"):
        wardrobe.pick("broken")
    with pytest.raises(PuffError, match="no theme papr") as caught:
        wardrobe.pick("papr")
    assert "paper" in caught.value.hint


async def test_a_broken_one_is_one_message_on_the_screen(session: Session) -> None:
    own_theme("broken", "title = 3")
    own_theme("worse", "[")
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.pause()
        [toast] = app._notifications
        assert toast.title == "Themes are left out"
        assert toast.message.endswith("And 1 more.")


async def test_the_choice_is_kept(tmp_path: Path) -> None:
    for before, after in ((DEFAULT_THEME, "arcade"), ("arcade", "aurora")):
        app = fake_app(fake_session(tmp_path / "squared-brisk-otter"))
        async with app.run_test(size=(120, 40)) as pilot:
            await settle(app, pilot)
            assert app.theme == before
            await pilot.press("t")
            await settle(app, pilot)
            assert app.theme == after
    assert kept("screen") == {"theme": "aurora"}
    # A flag is for once.
    app = fake_app(fake_session(tmp_path / "squared-brisk-otter"), "paper")
    assert app.theme == "paper"
    assert kept("screen") == {"theme": "aurora"}


def test_a_choice_that_is_gone_is_forgotten() -> None:
    for odd in ("gone", 7, ["paper"]):
        remember(odd)
        assert Wardrobe.open().pick(None) == DEFAULT_THEME


async def test_a_choice_that_cannot_be_kept_still_counts(session: Session) -> None:
    preference_folder().parent.mkdir(parents=True, exist_ok=True)
    preference_folder().write_text("a file where a folder should be")
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press("t")
        await settle(app, pilot)
        assert app.theme != DEFAULT_THEME
