"""The screen that compares runs; live ones are read again every few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable

from pufftui.appearance.theme import PuffTheme
from pufftui.envs.errors import PuffError
from pufftui.keys.bindings import bindings
from pufftui.keys.compare import COMPARE_KEYS
from pufftui.layout.cockpit import Arrangement, arrange_compare
from pufftui.runs.comparison import Comparison, Grouping
from pufftui.runs.groups import MOST_CURVES, differences
from pufftui.screens.panels import PanelScreen
from pufftui.widgets.compare import CompareHeader, DifferencesCard, FiguresCard, OverlayCard, View
from pufftui.widgets.footer import Footer
from pufftui.widgets.too_small import TooSmall

REFRESH_SECONDS = 2.0


class CompareScreen(PanelScreen):
    """Owns the view and paints all panels when it changes."""

    KEYS = COMPARE_KEYS
    BINDINGS = bindings(COMPARE_KEYS)

    def __init__(
        self,
        look: PuffTheme,
        comparison: Comparison,
        grouping: Grouping,
        read: Callable[[], Comparison],
    ) -> None:
        """`read` reads the same runs again; it is called from a thread."""
        super().__init__(look)
        self.view = View(comparison, comparison.first_metric(), grouping)
        self.alone = False
        self._read = read
        self._due = time.monotonic() + REFRESH_SECONDS
        self.header = CompareHeader(look, self.view)
        self.chart = OverlayCard(look, self.view)
        self.figures = FiguresCard(look, self.view)
        self.differences = DifferencesCard(look, self.view)
        self.footer = Footer(look, None, COMPARE_KEYS)
        self.panels = [
            *(self.header, self.chart, self.figures, self.differences, self.footer),
            TooSmall(look, "no run is touched"),
        ]

    def plan(self, width: int, height: int) -> Arrangement:
        """Where the panels lie on a terminal of that size."""
        groups = self.view.groups
        cautions = sum(bool(group.caution) for group in groups)
        settings = len(differences(groups))
        return arrange_compare(
            width, height, len(groups) + min(cautions, 2), settings, alone=self.alone
        )

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
        self.rearrange()

    def action_settings(self) -> None:
        self.alone = not self.alone
        self.rearrange()

    def action_scroll(self, by: int) -> None:
        self.differences.scroll(by)
