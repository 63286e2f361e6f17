"""What every screen with charts has in common: what they are drawn from, and the keys that change them."""

from __future__ import annotations

from typing import ClassVar

from pufftui.appearance.preferences import keep, kept
from pufftui.appearance.theme import PuffTheme
from pufftui.charts.charting import Charting
from pufftui.charts.earlier import EarlierRuns
from pufftui.charts.view import SMOOTHINGS, View
from pufftui.envs.descriptor import Descriptor
from pufftui.screens.arena import ArenaScreen
from pufftui.screens.dialogs.explain import ExplainScreen
from pufftui.screens.dialogs.filter import FilterScreen
from pufftui.state.session import RunSession
from pufftui.widgets.charts import MOST_COLUMNS, ChartsCard
from pufftui.widgets.curves import ORDER, CurveCard, LearningCard, ScoreCard, SpeedCard
from pufftui.widgets.header import Header
from pufftui.widgets.policy import PolicyCard

CHARTS = 6
"""The key of the panel with all charts."""

PREFERENCES = "charts"
"""The table of a person's preferences."""


class ChartScreen(ArenaScreen):
    """Owns the charts' common state and repaints them when it has changed."""

    CHARTS_PANEL: ClassVar[int] = CHARTS
    """The panel on which all charts are."""

    session: RunSession

    def __init__(
        self,
        session: RunSession,
        look: PuffTheme,
        header: Header,
        policy: PolicyCard,
        meanwhile: str,
    ) -> None:
        super().__init__(session, look, header, policy, meanwhile)
        self.charting = Charting(EarlierRuns(session.folder))
        self.score, self.speed, self.learning, self.charts = self._cards(look, session.descriptor)
        self.panels += self.chart_cards
        self._drawn: tuple[View, int] | None = None
        self._prefer()

    def _cards(
        self, look: PuffTheme, descriptor: Descriptor
    ) -> tuple[ScoreCard, SpeedCard, LearningCard, ChartsCard]:
        charting = self.charting
        return (
            ScoreCard(look, charting, descriptor),
            SpeedCard(look, "speed", charting),
            LearningCard(look, "learning", charting),
            ChartsCard(look, charting),
        )

    @property
    def chart_cards(self) -> tuple[CurveCard, ...]:
        """The panels with charts."""
        return self.score, self.speed, self.learning, self.charts

    def tick(self) -> None:
        super().tick()
        # Earlier runs come in one by one, from a thread of their own.
        drawn = self.charting.view, self.charting.earlier_count
        if drawn != self._drawn:
            self._drawn = drawn
            self.paint_charts()

    def paint_charts(self) -> None:
        """Draws those again that are in sight."""
        for card in self.chart_cards:
            if card.is_on_screen:
                card.paint()

    # What a person does.

    def action_axis(self) -> None:
        axis = self.charting.next_axis()
        self.notify(f"Charts run over {axis.value} now.", timeout=2)
        self._keep_preferences()

    def action_smooth(self, by: int) -> None:
        self.charting.smooth(by)
        self._keep_preferences()

    def action_zoom(self, by: int) -> None:
        self.charting.zoom(closer=by > 0)

    def action_pan(self, by: int) -> None:
        self.charting.pan(by / 4)

    def action_cursor(self, by: int) -> None:
        self.charting.move_cursor(by)

    def action_whole(self) -> None:
        self.charting.whole()

    def action_log_axis(self) -> None:
        metric = self.charting.selected
        if self.charting.toggle_log(metric):
            self.paint_charts()
            self._keep_preferences()
        else:
            self.notify("None of its values is above zero.", title="No logarithms", timeout=3)

    def action_earlier(self) -> None:
        if self.charting.toggle_earlier():
            self.notify("Up to six earlier runs of this environment.", title="Behind the curves")

    def action_select(self, by: int) -> None:
        names = self.charts.names if self.charts.is_on_screen else self._dashboard_names
        if not names:
            return
        now = self.charting.selected
        at = names.index(now) + by if now in names else 0
        self.charting.selected = names[at % len(names)]
        self.charts.show_selected()
        self.paint_charts()

    @property
    def _dashboard_names(self) -> list[str]:
        return ["score", "sps", *ORDER]

    def action_page(self, by: int) -> None:
        if self.charts.is_on_screen:
            self.charts.turn(by)

    def action_explain(self) -> None:
        self._explain(self.charting.selected)

    def _explain(self, metric: str) -> None:
        self.app.push_screen(ExplainScreen(self.look, metric, self.charting))

    def action_filter(self) -> None:
        self._to_charts()
        self.app.push_screen(FilterScreen(self.look, self.charts.pattern, self._filter))

    def _filter(self, pattern: str) -> None:
        self.charts.pattern = pattern
        if self.charting.selected not in self.charts.names and self.charts.names:
            self.charting.selected = self.charts.names[0]
        self.charts.show_selected()

    def action_hide(self) -> None:
        """Hides the selected chart; hides none if it is hidden already."""
        self._to_charts()
        names, selected = self.charts.names, self.charting.selected
        if selected not in names or len(names) == 1:
            return
        at = names.index(selected)
        self.charts.hidden |= {selected}
        self.charting.selected = (names[:at] + names[at + 1 :])[min(at, len(names) - 2)]
        self.charts.show_selected()
        self._keep_preferences()

    def action_unhide(self) -> None:
        self._to_charts()
        self.charts.hidden = set()
        self.charts.show_selected()
        self._keep_preferences()

    def action_columns(self) -> None:
        self._to_charts()
        self.charts.columns = (self.charts.columns + 1) % (MOST_COLUMNS + 1)
        self.charts.show_selected()
        words = f"{self.charts.columns} beside each other" if self.charts.columns else "as they fit"
        self.notify(f"Charts: {words}.", timeout=2)
        self._keep_preferences()

    def _to_charts(self) -> None:
        if not self.charts.is_on_screen:
            self.action_panel(self.CHARTS_PANEL)

    # The pointer.

    def on_curve_card_pointed(self, message: CurveCard.Pointed) -> None:
        self.charting.hover(message.place)

    def on_curve_card_zoomed(self, message: CurveCard.Zoomed) -> None:
        self.charting.zoom(closer=message.closer, at=message.place)

    def on_curve_card_asked(self, message: CurveCard.Asked) -> None:
        self.charting.selected = message.metric
        self._explain(message.metric)

    # What a person prefers.

    def _prefer(self) -> None:
        """Takes over what was chosen the last time."""
        table = kept(PREFERENCES)
        hidden, logarithmic = table.get("hidden"), table.get("log")
        self.charts.hidden = set(hidden) if isinstance(hidden, list) else set()
        self.charting.log = set(logarithmic) if isinstance(logarithmic, list) else set()
        columns, smoothing = table.get("columns"), table.get("smoothing")
        if isinstance(columns, int):
            self.charts.columns = min(max(columns, 0), MOST_COLUMNS)
        if isinstance(smoothing, int):
            level = min(max(smoothing, 0), len(SMOOTHINGS) - 1)
            self.charting.smooth(level - self.charting.view.smoothing)
        self.charting.prefer_axis(str(table.get("axis", "")))

    def _keep_preferences(self) -> None:
        """Keeps what is chosen for the next time."""
        keep(
            PREFERENCES,
            {
                "axis": self.charting.view.axis.value,
                "smoothing": self.charting.view.smoothing,
                "columns": self.charts.columns,
                "hidden": sorted(self.charts.hidden),
                "log": sorted(self.charting.log),
            },
        )
