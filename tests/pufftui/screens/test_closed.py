"""What a person has closed is closed once, and leaves nothing behind, however often they open it."""

from __future__ import annotations

import gc

import pytest
from fakes import fake_app, settle
from textual._styles_cache import StylesCache
from textual.widget import Widget

from pufftui.screens.dialogs.help import HelpScreen
from pufftui.screens.dialogs.reveal import RevealScreen
from pufftui.state.session import Session

DIALOGS = ("question_mark", "ctrl+p", "n", "q")


def drawings() -> tuple[int, int]:
    """Widgets that there are, and drawings of widgets."""
    gc.collect()
    there = gc.get_objects()
    return (
        sum(issubclass(type(thing), Widget) for thing in there),
        sum(type(thing) is StylesCache for thing in there),
    )


async def test_dialogs_leave_no_widget_and_no_drawing(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:

        async def look_around() -> None:
            for dialog in DIALOGS:
                await pilot.press(dialog)
                await settle(app, pilot)
                await pilot.press("escape")
                await settle(app, pilot)

        await look_around()
        before = drawings()
        for _ in range(3):
            await look_around()
        widgets, drawn = drawings()
        # The palette keeps a few of its own lists until it is opened the next time.
        assert widgets - before[0] <= 4
        assert drawn - before[1] <= 4


@pytest.mark.parametrize("dialog", DIALOGS)
async def test_closing_twice_closes_nothing_else(session: Session, dialog: str) -> None:
    """A second key or click is on its way to a dialog that is no longer there."""
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press(dialog)
        await pilot.pause()
        opened = app.screen
        assert opened is not app.main
        opened.dismiss()
        opened.dismiss()
        await settle(app, pilot)
        assert app.screen is app.main


async def test_a_late_answer_leaves_the_dialog_below_open(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        below, above = app.screen, RevealScreen(app.look, lambda: None)
        assert isinstance(below, HelpScreen)
        await app.push_screen(above)
        above.dismiss()
        above.dismiss()
        await settle(app, pilot)
        assert app.screen is below


@pytest.mark.parametrize("hidden", [True, False])
async def test_what_a_slow_line_does_not_show_is_not_drawn(
    session: Session, monkeypatch: pytest.MonkeyPatch, hidden: bool
) -> None:
    monkeypatch.setattr("pufftui.screens.dialogs.dialog.hides_behind", lambda app: hidden)
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press("question_mark")
        await settle(app, pilot)
        score = app.screen._compositor.render_strips()[1].text
        assert bool(score.strip()) is not hidden
