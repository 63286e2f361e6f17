"""The screen that compares runs; live ones are read again every few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.screen import Screen

from pufftui.arrange import Arrangement, arrange_compare
from pufftui.envs.errors import PuffError
from pufftui.keys import COMPARE_KEYS, bindings
from pufftui.runs.comparison import Comparison, Grouping
from pufftui.runs.groups import MOST_CURVES, differences
from pufftui.screens.help import HelpScreen
from pufftui.theme import PuffTheme
from pufftui.widgets.cockpit import Cockpit, CockpitLayout
from pufftui.widgets.compare import CompareHeader, DifferencesCard, FiguresCard, OverlayCard, View
from pufftui.widgets.footer import Footer
from pufftui.widgets.painted import Painted
from pufftui.widgets.too_small import TooSmall

if TYPE_CHECKING:
    from pufftui.compare import CompareApp

REFRESH_SECONDS = 2.0


class CompareScreen(Screen[None]):
    """Owns the view and paints all panels when it changes."""

    BLANK = True
    BINDINGS = bindings(COMPARE_KEYS)

    def __init__(
        self,
        look: PuffTheme,
        comparison: Comparison,
        grouping: Grouping,
        read: Callable[[], Comparison],
    ) -> None:
        """`read` reads the same runs again; it is called from a thread."""
        super().__init__()
        self.look = look
        self.view = View(comparison, comparison.first_metric(), grouping)
        self.alone = False
        self._read = read
        self._due = time.monotonic() + REFRESH_SECONDS
        self.header = CompareHeader(look, self.view)
        self.chart = OverlayCard(look, self.view)
        self.figures = FiguresCard(look, self.view)
        self.differences = DifferencesCard(look, self.view)
        self.footer = Footer(look, None, COMPARE_KEYS)
        self.panels: list[Painted] = [
            *(self.header, self.chart, self.figures, self.differences, self.footer),
            TooSmall(look, "no run is touched"),
        ]

    @property
    def owner(self) -> CompareApp:
        """The application, with its themes."""
        return cast("CompareApp", self.app)

    def plan(self, width: int, height: int) -> Arrangement:
        """Where the panels lie on a terminal of that size."""
        groups = self.view.groups
        cautions = sum(bool(group.caution) for group in groups)
        settings = len(differences(groups))
        return arrange_compare(
            width, height, len(groups) + min(cautions, 2), settings, alone=self.alone
        )

    def compose(self) -> ComposeResult:
        yield Cockpit(CockpitLayout(self.plan), *self.panels)

    def tick(self) -> None:
        """Called many times a second; does only what is due."""
        if self.view.comparison.live and time.monotonic() >= self._due:
            self._due = float("inf")
            self.run_worker(self._read_again, thread=True)

    def _read_again(self) -> None:
        try:
            fresh, trouble = self._read(), ""
            for group in fresh.groups(self.view.grouping):
                fresh.curve(group, self.view.metric, self.view.axis)
        except PuffError as error:
            fresh, trouble = self.view.comparison, error.message
        self.app.call_from_thread(self._take, fresh, trouble)

    def _take(self, fresh: Comparison, trouble: str) -> None:
        self.view.comparison, self.view.trouble = fresh, trouble
        self._due = time.monotonic() + REFRESH_SECONDS
        self.paint()

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

    # What the person does.

    def action_metric(self, by: int) -> None:
        metrics = self.view.comparison.metrics
        if metrics:
            at = metrics.index(self.view.metric) if self.view.metric in metrics else 0
            self.view.metric = metrics[(at + by) % len(metrics)]
            self.paint()

    def action_axis(self) -> None:
        self.view.axis = self.view.axis.next
        self.paint()

    def action_grouping(self) -> None:
        """The next way to put runs together that makes other curves, and not too many."""
        view, orders = self.view, list(Grouping)
        names = [group.name for group in view.groups]
        at = orders.index(view.grouping)
        for other in (*orders[at + 1 :], *orders[:at]):
            groups = view.comparison.groups(other)
            if len(groups) <= MOST_CURVES and [group.name for group in groups] != names:
                view.grouping = other
                break
        self.differences.top = 0
        self._rearrange()

    def action_settings(self) -> None:
        self.alone = not self.alone
        self._rearrange()

    def action_scroll(self, by: int) -> None:
        self.differences.scroll(by)

    def action_theme(self) -> None:
        self.owner.next_theme()

    def action_privacy(self) -> None:
        self.owner.toggle_privacy()

    def action_help(self) -> None:
        self.app.push_screen(HelpScreen(self.look, None, COMPARE_KEYS))

    def action_palette(self) -> None:
        self.app.action_command_palette()

    def action_quit(self) -> None:
        self.app.exit()

    def _rearrange(self) -> None:
        # A child that asks for layout makes its parent forget the placements it remembers.
        self.header.refresh(layout=True)
        self.call_after_refresh(self.paint)
