"""What all screens that are no dialogs have in common: panels, how they look, and a way out."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, cast

from textual.app import ComposeResult
from textual.screen import Screen

from pufftui.appearance.theme import PuffTheme
from pufftui.envs.descriptor import Descriptor
from pufftui.keys.game import keys_for
from pufftui.keys.key import Key
from pufftui.layout.cockpit import Arrangement
from pufftui.screens.dialogs.help import HelpScreen
from pufftui.screens.owner import Owner
from pufftui.state.interval import Interval
from pufftui.widgets.cockpit import Cockpit, CockpitLayout
from pufftui.widgets.painted import Painted


class PanelScreen(Screen[None]):
    """Panels where `plan` puts them. Subclasses name their KEYS, bind them, and fill `panels`.

    What keys do is done by controllers: an action `charts.zoom(1)` is `zoom(1)` of what is called
    `charts` in `controllers`. The header is the first panel.
    """

    BLANK = True
    KEYS: ClassVar[tuple[Key, ...]] = ()

    def __init__(self, look: PuffTheme) -> None:
        super().__init__()
        self.look = look
        self.panels: list[Painted] = []
        self.controllers: dict[str, Any] = {}
        self._intervals: list[Interval] = []

    @abstractmethod
    def plan(self, width: int, height: int) -> Arrangement:
        """Where the panels lie on a terminal of that size."""

    @abstractmethod
    def tick(self) -> None:
        """Called many times a second; does only what is due."""

    def every(self, seconds: float) -> Interval:
        """An interval that is due at once again whenever panels have moved."""
        self._intervals.append(Interval(seconds))
        return self._intervals[-1]

    def compose(self) -> ComposeResult:
        yield Cockpit(CockpitLayout(self.plan), *self.panels)

    def paint(self) -> None:
        """Draws all panels again that are in sight."""
        for panel in self.panels:
            if panel.is_on_screen:
                panel.paint()

    def rearrange(self) -> None:
        """Puts the panels where they belong now."""
        # A child that asks for layout makes its parent forget the placements it remembers.
        self.panels[0].refresh(layout=True)
        for interval in self._intervals:
            interval.reset()
        self.call_after_refresh(self.paint)

    def dress(self, look: PuffTheme) -> None:
        """Changes to another theme."""
        self.look = look
        for panel in self.panels:
            panel.dress(look)

    @property
    def owner(self) -> Owner:
        """The application, with its themes."""
        return cast("Owner", self.app)

    @property
    def in_front(self) -> bool:
        """Whether no dialog lies over this screen."""
        return self.app.screen is self

    # What keys do.

    def action_do(self, controller: str, what: str, *value: object) -> None:
        """Has one of the controllers do something, with at most one value."""
        getattr(self.controllers[controller], what)(*value)

    def action_theme(self) -> None:
        self.owner.next_theme()

    def action_privacy(self) -> None:
        self.owner.toggle_privacy()

    def help(self, descriptor: Descriptor | None = None, *, real: bool = False) -> None:
        """Shows all keys, those of a game included; `real` is whether keys can be held."""
        keys = keys_for(self.KEYS, descriptor)
        self.app.push_screen(HelpScreen(self.look, descriptor, keys, real=real))

    def action_help(self) -> None:
        self.help()

    def action_suspend(self) -> None:
        self.app.action_suspend_process()

    def action_palette(self) -> None:
        self.owner.action_command_palette()

    def action_quit(self) -> None:
        self.app.exit()
