"""What the screens that only look around have in common: themes, privacy, help, and a way out."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.screen import Screen

from pufftui.appearance.theme import PuffTheme
from pufftui.keys.key import Key
from pufftui.layout.cockpit import Arrangement
from pufftui.screens.dialogs.help import HelpScreen
from pufftui.widgets.cockpit import Cockpit, CockpitLayout
from pufftui.widgets.painted import Painted

if TYPE_CHECKING:
    from pufftui.apps.base import DressedApp


class BrowsingScreen(Screen[None]):
    """Panels where `plan` puts them. Subclasses name their KEYS, bind them, and fill `panels`."""

    BLANK = True
    KEYS: ClassVar[tuple[Key, ...]]
    panels: list[Painted]

    def __init__(self, look: PuffTheme) -> None:
        super().__init__()
        self.look = look

    @abstractmethod
    def plan(self, width: int, height: int) -> Arrangement:
        """Where the panels lie on a terminal of that size."""

    @abstractmethod
    def tick(self) -> None:
        """Called many times a second; does only what is due."""

    def compose(self) -> ComposeResult:
        yield Cockpit(CockpitLayout(self.plan), *self.panels)

    def paint(self) -> None:
        """Draws all panels again."""
        for panel in self.panels:
            if panel.is_on_screen:
                panel.paint()

    def dress(self, look: PuffTheme) -> None:
        """Changes to another theme."""
        self.look = look
        for panel in self.panels:
            panel.dress(look)

    @property
    def owner(self) -> DressedApp[object]:
        """The application, with its themes."""
        return cast("DressedApp[object]", self.app)

    def action_theme(self) -> None:
        self.owner.next_theme()

    def action_privacy(self) -> None:
        self.owner.toggle_privacy()

    def action_help(self) -> None:
        self.app.push_screen(HelpScreen(self.look, None, self.KEYS))

    def action_palette(self) -> None:
        self.app.action_command_palette()

    def action_quit(self) -> None:
        self.app.exit()
