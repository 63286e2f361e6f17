"""What a person has closed leaves nothing behind, however often they open it."""

from __future__ import annotations

import gc

from fakes import fake_app, settle
from textual._styles_cache import StylesCache
from textual.widget import Widget

from pufftui.session import Session

DIALOGS = ("question_mark", "ctrl+p", "E", "q")


def drawings() -> tuple[int, int]:
    """Widgets that there are, and drawings of widgets."""
    gc.collect()
    there = gc.get_objects()
    return (
        sum(isinstance(thing, Widget) for thing in there),
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
