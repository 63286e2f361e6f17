"""What all applications of pufftui have in common: themes, letters, and what is not to be seen."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import ClassVar, Protocol, TypeVar, cast, runtime_checkable

from rich.segment import Segment
from textual.app import SystemCommand
from textual.await_complete import AwaitComplete
from textual.binding import Binding
from textual.color import Color
from textual.driver import Driver
from textual.filter import LineFilter
from textual.notifications import SeverityLevel
from textual.screen import Screen

from pufftui.appearance.glyphs import ASCII, FULL, Glyphs, fitting
from pufftui.appearance.palette import quantiser
from pufftui.appearance.privacy import Secrets, mask
from pufftui.appearance.theme import DEFAULT_THEME, PuffTheme, css_variables
from pufftui.appearance.wardrobe import Wardrobe, remember
from pufftui.apps.options import Wishes
from pufftui.keys.bindings import bound
from pufftui.keys.key import Key
from pufftui.keys.kitty import with_releases
from pufftui.screens.dialogs.reveal import RevealScreen
from pufftui.screens.palette import Palette
from pufftui.terminal.closed import forget_closed_widgets
from pufftui.terminal.crash import CrashingApp
from pufftui.terminal.paced import show_behind
from pufftui.terminal.private import hung_up, private_terminal
from pufftui.terminal.toasts import forget_earlier
from pufftui.widgets.notice import replace_toasts

Result = TypeVar("Result")

TOAST_SECONDS = 8

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What ends an application."""

NO_COMMANDS = ("palette", "hand_back", "leave")
"""Keys, by id, that make no sense in the palette."""


@runtime_checkable
class Dressable(Protocol):
    """A screen that can change how it looks."""

    def dress(self, look: PuffTheme) -> None: ...


class MainScreen(Dressable, Protocol):
    """The screen under all dialogs; `KEYS` are what it listens to."""

    KEYS: ClassVar[tuple[Key, ...]]


class DressedApp(CrashingApp[Result], inherit_bindings=False):
    """An application in one of the themes. Subclasses name the screen that is dressed as `main`."""

    CSS_PATH = "app.tcss"
    TITLE = "pufftui"
    ALLOW_SELECT = False
    BINDINGS = [Binding("ctrl+z", "suspend_process", "Suspend", show=False, priority=True)]
    ENABLE_COMMAND_PALETTE = True

    main: MainScreen

    def __init__(self, wishes: Wishes | None, secrets: Secrets) -> None:
        """`secrets` are hidden when the person wants that. `PuffError` for an unknown theme."""
        wishes = wishes or Wishes()
        self.wardrobe = Wardrobe.open()
        super().__init__()
        forget_closed_widgets()
        replace_toasts()
        name = self.wardrobe.pick(wishes.theme)
        quantise = quantiser(self.console.color_system, no_color=self.no_color)
        self.looks = {n: look.limited(quantise) for n, look in self.wardrobe.looks.items()}
        """All themes by name, in the colours that there are."""
        self.glyphs = _glyphs(wishes)
        self._own = secrets
        self._last_words = ""
        self._palette: Palette | None = None
        self._say: Callable[[str], None] = _unheard
        self.private = wishes.privacy or wishes.stream
        for look in self.looks.values():
            self.register_theme(look.to_textual())
        self.theme = name
        self.look = self._worn()
        self.set_class(self.glyphs.ascii_only, "-ascii")

    @property
    def secrets(self) -> Secrets | None:
        """What is masked right now."""
        return self._own if self.private else None

    def _worn(self) -> PuffTheme:
        return self.looks[self.theme].worn(self.glyphs, self.secrets)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        standard = self.wardrobe.looks[DEFAULT_THEME]
        return {name: standard.colours[name] for name in css_variables()}

    def get_line_filters(self) -> list[LineFilter]:
        filters = list(super().get_line_filters())
        return [*filters, OtherLetters(self.glyphs)] if self.glyphs.ascii_only else filters

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Shows a message for a while, without what must not be seen, in place of an earlier one of its title."""
        shown, head = self.look.words(message), self.look.words(title)
        forget_earlier(self, head, severity)
        super().notify(shown, title=head, severity=severity, timeout=timeout, markup=markup)

    def run_alone(
        self, log: Path, last_words: str, suspect: tuple[Path, str] | None = None
    ) -> None:
        """Runs with the terminal for itself; other output goes to `log`, and why it has `crashed`.

        `last_words` are what a fatal signal leaves on the terminal, after its name, and that of the
        `suspect`, a library and what it is called, if its code was running.
        """
        self._last_words = last_words
        with private_terminal(log, self.masked(last_words)) as guard:
            self._say = guard.say
            if suspect is not None:
                guard.suspect(suspect[0], self.masked(suspect[1]))
            self.run_to_its_end()
            if self.crashed:
                guard.give_back()

    def pop_screen(self) -> AwaitComplete:
        """Closes what lies over the main screen, and never that: Textual's palette may close twice."""
        return super().pop_screen() if self.screen.is_modal else AwaitComplete()

    def get_driver_class(self) -> type[Driver]:
        return with_releases(super().get_driver_class())

    def action_command_palette(self) -> None:
        if self._palette is None or self.screen is not self._palette:
            self._palette = Palette()
            self.push_screen(self._palette)

    def on_mount(self) -> None:
        self.set_interval(1.0, self._leave_if_cut_off)

    def _leave_if_cut_off(self) -> None:
        """Leaves as on SIGHUP where the terminal is gone and no signal says so: Textual would read on for ever."""
        if hung_up():
            os.kill(os.getpid(), signal.SIGHUP)

    # What must not be seen.

    def masked(self, text: str) -> str:
        """A text for another place than the screen, as it may be seen right now."""
        return mask(text, self.secrets) if self.secrets else text

    def toggle_privacy(self) -> None:
        """Hides at once; what is hidden is shown again only after a question."""
        if self.private:
            self.push_screen(RevealScreen(self.look, lambda: self.set_privacy(private=False)))
        else:
            self.set_privacy(private=True)

    def set_privacy(self, *, private: bool) -> None:
        """Hides what others must not see, or shows it again."""
        if private != self.private:
            self.private = private
            self._say(self.masked(self._last_words))
            self.clear_notifications()
            self.redress()
            self.call_after_refresh(show_behind, self)

    def on_resize(self) -> None:
        """Behind a dialog, too, everything lies elsewhere now."""
        self.call_after_refresh(show_behind, self)

    def action_hide(self) -> None:
        """Hides at once, also from within a dialog."""
        self.set_privacy(private=True)

    # Themes.

    def complain(self) -> None:
        """Says which of the person's themes were left out."""
        complaints = self.wardrobe.complaints
        if complaints:
            more = len(complaints) - 1
            text = str(complaints[0]) + (f" And {more} more." if more else "")
            title = "A theme is left out" if not more else "Themes are left out"
            self.notify(text, title=title, severity="warning", timeout=TOAST_SECONDS)

    def next_theme(self) -> None:
        """Changes to the theme after this one."""
        self.wear(self.wardrobe.after(self.theme))

    def wear(self, name: str) -> None:
        """Changes to a theme by name, also for the next time."""
        self.theme = name
        self.redress()
        remember(name)

    def redress(self) -> None:
        """Paints everything anew, in the theme, the letters and the privacy of now."""
        self.look = self._worn()
        for screen in (self.main, *self.screen_stack):
            if isinstance(screen, Dressable):
                screen.dress(self.look)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the palette offers: what the keys of the main screen do, and every theme."""
        for key in self.main.KEYS:
            if key.id not in NO_COMMANDS:
                title = f"{key.short.capitalize()}  ({key.shown})"
                yield SystemCommand(
                    title, key.description, lambda action=key.action: self._do(action)
                )
        for look in self.looks.values():
            yield SystemCommand(
                f"Theme: {look.title}", "change the colours", lambda name=look.name: self.wear(name)
            )

    async def _do(self, action: str) -> None:
        await self.run_action(bound(action), cast("Screen[object]", self.main))


class OtherLetters(LineFilter):
    """Puts other letters into what Textual itself draws: borders, scroll bars, the palette."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [Segment(self._glyphs(text), style, control) for text, style, control in segments]


def _unheard(_: str) -> None:
    """Takes last words before anybody listens."""


def _glyphs(wishes: Wishes) -> Glyphs:
    if wishes.ascii_only is None:
        return fitting()
    return ASCII if wishes.ascii_only else FULL
