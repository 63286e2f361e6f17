"""The palette of all commands: Textual's, which ends the application where a key comes too early.

Opened again before it has quite gone, closed twice, clicked at beside a window that has just become smaller, told
to go to a line of a list that is not laid out yet, still busy when its list is gone: none of that matters to anybody, but Textual's
palette raises. This file relies on how it is made.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from textual import events, work
from textual.await_complete import AwaitComplete
from textual.command import CommandList, CommandPalette
from textual.css.query import NoMatches
from textual.errors import NoWidget
from textual.message import Message

_search: Any = getattr(vars(CommandPalette).get("_gather_commands"), "__wrapped__", None)
"""The search, without the worker that it comes in."""


def _only_what_is_there(commands: CommandList, event: events.Click) -> None:
    """Keeps a click at an option that is gone, and only still drawn, from Textual's own handler."""
    option = event.style.meta.get("option")
    if option is not None and option >= commands.option_count:
        event.prevent_default()


CommandList.on_click = _only_what_is_there  # type: ignore[attr-defined]


class Palette(CommandPalette):
    """Goes on where there is nothing to go to yet, or any more."""

    def _action_command_list(self, action: str) -> None:
        with suppress(LookupError, NoMatches):
            super()._action_command_list(action)

    def _action_cursor_down(self) -> None:
        with suppress(LookupError, NoMatches):
            super()._action_cursor_down()

    async def _dispatch_message(self, message: Message) -> None:
        with suppress(NoMatches):
            await super()._dispatch_message(message)

    def _watch__list_visible(self) -> None:
        with suppress(NoMatches):
            super()._watch__list_visible()

    async def _watch__show_busy(self) -> None:
        """Textual calls it some time after the flag has changed, when the list may be gone."""
        with suppress(NoMatches):
            await super()._watch__show_busy()

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Closes the palette, once: Textual's own handlers may do so twice."""
        return super().dismiss(result) if self.is_active else AwaitComplete()

    def on_click(self, event: events.Click) -> None:
        """Textual's own handler, which comes after this one, looks at what lies there."""
        try:
            self.get_widget_at(event.screen_x, event.screen_y)
        except NoWidget:
            event.prevent_default()

    if _search is not None:

        @work(exclusive=True, group=CommandPalette._GATHER_COMMANDS_GROUP)  # noqa: SLF001
        async def _gather_commands(self, search_value: str) -> None:
            with suppress(NoMatches):
                await _search(self, search_value)
