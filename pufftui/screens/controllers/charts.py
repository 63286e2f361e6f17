"""The charts of a run: what they are drawn from, and the keys and clicks that change them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pufftui.appearance.preferences import keep, kept
from pufftui.charts.baseline import BaselineBehind
from pufftui.charts.charting import Charting
from pufftui.charts.earlier import EarlierRuns
from pufftui.charts.explain import label
from pufftui.charts.view import SMOOTHINGS, View
from pufftui.screens.dialogs.explain import ExplainScreen
from pufftui.screens.dialogs.filter import FilterScreen
from pufftui.screens.panels import PanelScreen
from pufftui.series.axis import Axis
from pufftui.state.session import RunSession
from pufftui.trainer.messages.snapshot import Snapshot
from pufftui.trainer.store import AlertRow, Event, StoreReader
from pufftui.widgets.charts import MOST_COLUMNS, ChartsCard
from pufftui.widgets.curves import ORDER, CurveCard, LearningCard, ScoreCard, SpeedCard
from pufftui.widgets.painted import Painted

PREFERENCES = "charts"
"""The table of a person's preferences."""

FOR_GOOD = "also in the next run. Z resets the view."
TOLD_SECONDS, LONG_SECONDS = 3, 6


class ChartController:
    """Owns the charts' common state and repaints them when it has changed.

    `show_all` brings the panel with all charts into sight.
    """

    def __init__(
        self, screen: PanelScreen, session: RunSession, show_all: Callable[[], None]
    ) -> None:
        look, descriptor = screen.look, session.descriptor
        self._baseline = BaselineBehind(session.folder)
        charting = self.charting = Charting(EarlierRuns(session.folder), self._baseline)
        charting.meanings = descriptor.explained_statistics
        self.card = ChartsCard(look, charting)
        """All charts."""
        self.score = ScoreCard(look, charting, descriptor)
        self.cards: tuple[CurveCard, ...] = (
            self.score,
            SpeedCard(look, "speed", charting),
            LearningCard(look, "learning", charting),
            self.card,
        )
        self.drawn_along: list[Painted] = []
        """Panels that change when charts do."""
        self._screen, self._show_all = screen, show_all
        self._drawn: tuple[View, int, str] | None = None
        self._take_over(kept(PREFERENCES))
        self._unusual = self._in_words()

    def tick(self) -> None:
        """Called often."""
        if self._unusual:
            text = f"As you left them: {self._unusual}. Z resets the view."
            self._screen.notify(text, title="Charts", timeout=LONG_SECONDS)
            self._unusual = ""
        # Earlier runs come in one by one, and the baseline, from threads of their own.
        self._baseline.load()
        drawn = self.charting.view, self.charting.earlier_count, self.charting.baseline_label
        if drawn != self._drawn:
            self._drawn = drawn
            self.paint()

    def show(self, snapshot: Snapshot) -> None:
        """Takes in the newest figures."""
        for card in self.cards:
            card.snapshot = snapshot
        self.charting.provisional_steps = snapshot.provisional_steps
        if not len(self.charting.history.steps):
            self.paint()

    def poll(self, reader: StoreReader) -> bool:
        """Reads what is new; whether anything is."""
        return self.charting.poll(reader)

    def mark(self, events: Sequence[Event], alerts: Sequence[AlertRow], *, changed: bool) -> None:
        """Marks what happened, and draws anew if that, or anything else, has `changed`."""
        if self.charting.mark(events, alerts) or changed:
            self.paint()

    def paint(self) -> None:
        """Draws those again that are in sight."""
        for card in (*self.cards, *self.drawn_along):
            if card.is_on_screen:
                card.paint()

    # All charts at once.

    def axis(self) -> None:
        """Draws them over the next axis."""
        self._keep_preferences(_over(self.charting.next_axis()))

    def smooth(self, by: int) -> None:
        """Smooths curves more, or less."""
        self.charting.smooth(by)
        self._keep_preferences(_smoothed(self.charting.view.smoothing))

    def zoom(self, by: int) -> None:
        """Shows a smaller stretch, or a larger one."""
        self.charting.zoom(closer=by > 0)

    def pan(self, by: int) -> None:
        """Moves a zoomed stretch by quarters."""
        self.charting.pan(by / 4)

    def cursor(self, by: int) -> None:
        """Moves the cursor."""
        self.charting.move_cursor(by)

    def whole(self) -> None:
        """Shows the whole run, without a cursor."""
        self.charting.whole()

    def earlier(self) -> None:
        """Shows earlier runs behind the curves, or not."""
        if self.charting.toggle_earlier():
            text = "Up to six earlier runs of this environment."
            self._screen.notify(text, title="Behind the curves")

    # The one that is selected.

    def select(self, by: int) -> None:
        """Selects another metric of those in sight."""
        names = self.card.names if self.card.is_on_screen else ["score", "sps", *ORDER]
        if not names:
            return
        now = self.charting.selected
        at = names.index(now) + by if now in names else 0
        self.charting.selected = names[at % len(names)]
        self.card.show_selected()
        self.paint()

    def log_axis(self) -> None:
        """A logarithmic y axis, or a linear one."""
        if self.charting.toggle_log(self.charting.selected):
            self.paint()
            kind = "Logarithmic" if self.charting.selected in self.charting.log else "Linear"
            self._keep_preferences(f"{kind} {label(self.charting.selected)}")
        else:
            text = "This chart has no value above zero."
            self._screen.notify(text, title="No logarithmic axis", timeout=3)

    def explain(self) -> None:
        """Tells what the selected figure means."""
        self.ask(self.charting.selected)

    def ask(self, metric: str) -> None:
        """Selects a metric, and tells what it means."""
        self.charting.selected = metric
        screen = self._screen
        screen.app.push_screen(ExplainScreen(screen.look, metric, self.charting))

    # Which of them are shown.

    def page(self, by: int) -> None:
        """Turns to other charts."""
        if self.card.is_on_screen:
            self.card.turn(by)

    def filter(self) -> None:
        """Asks for a pattern that the names of charts have to match."""
        self._to_charts()
        screen = self._screen
        screen.app.push_screen(FilterScreen(screen.look, self.card.pattern, self._filter))

    def _filter(self, pattern: str) -> None:
        self.card.pattern = pattern
        if self.charting.selected not in self.card.names and self.card.names:
            self.charting.selected = self.card.names[0]
        self.card.show_selected()

    def hide(self) -> None:
        """Hides the selected chart; hides none if it is hidden already."""
        self._to_charts()
        names, selected = self.card.names, self.charting.selected
        if selected not in names or len(names) == 1:
            return
        at = names.index(selected)
        self.card.hidden |= {selected}
        self.charting.selected = names[at + 1 if at + 1 < len(names) else at - 1]
        self.card.show_selected()
        self._keep_preferences(f"Without {label(selected)}")

    def unhide(self) -> None:
        """Shows hidden charts again."""
        self._to_charts()
        self.card.hidden = set()
        self.card.show_selected()
        self._keep_preferences("None hidden")

    def standard(self) -> None:
        """Shows all charts as they are at first, now and in the next run."""
        self.charting.whole()
        self.card.pattern = ""
        self._take_over({})
        self.card.show_selected()
        self.paint()
        keep(PREFERENCES, {})
        self._screen.notify("As they are at first.", title="Charts", timeout=TOLD_SECONDS)

    def columns(self) -> None:
        """Puts more charts beside each other, or as many as fit."""
        self._to_charts()
        self.card.columns = (self.card.columns + 1) % (MOST_COLUMNS + 1)
        self.card.show_selected()
        columns = self.card.columns
        self._keep_preferences(_beside(columns) if columns else "as they fit")

    def _to_charts(self) -> None:
        if not self.card.is_on_screen:
            self._show_all()

    # What a person prefers.

    def _take_over(self, table: Mapping[str, Any]) -> None:
        """Takes over what was chosen; what is missing in the table, or makes no sense, is as at first."""
        usual = View()
        self.card.hidden, self.charting.log = _names(table.get("hidden")), _names(table.get("log"))
        columns, smoothing = table.get("columns"), table.get("smoothing")
        self.card.columns = min(max(columns, 0), MOST_COLUMNS) if isinstance(columns, int) else 0
        level = smoothing if isinstance(smoothing, int) else usual.smoothing
        self.charting.smooth(level - self.charting.view.smoothing)
        named = (axis for axis in Axis if axis.value == table.get("axis"))
        self.charting.over(next(named, usual.axis))

    def _in_words(self) -> str:
        """What is not as it is at first; empty if nothing is."""
        view, usual = self.charting.view, View()
        words = [_over(view.axis)] if view.axis is not usual.axis else []
        if view.smoothing != usual.smoothing:
            words.append(_smoothed(view.smoothing))
        if self.card.columns:
            words.append(_beside(self.card.columns))
        if self.charting.log:
            words.append(f"{len(self.charting.log)} logarithmic")
        if self.card.hidden:
            words.append(f"{len(self.card.hidden)} hidden")
        return ", ".join(words)

    def _keep_preferences(self, said: str) -> None:
        """Keeps what is chosen for the next time, and says so."""
        text = f"{said[0].upper()}{said[1:]}, {FOR_GOOD}"
        self._screen.notify(text, title="Charts", timeout=TOLD_SECONDS)
        keep(
            PREFERENCES,
            {
                "axis": self.charting.view.axis.value,
                "smoothing": self.charting.view.smoothing,
                "columns": self.card.columns,
                "hidden": sorted(self.card.hidden),
                "log": sorted(self.charting.log),
            },
        )


def _names(chosen: object) -> set[str]:
    """Names of metrics that were kept; none if that is no list."""
    found = chosen if isinstance(chosen, list) else []
    return {name for name in found if isinstance(name, str)}


def _over(axis: Axis) -> str:
    return f"over {axis.value}"


def _smoothed(level: int) -> str:
    return f"smoothing {level} of {len(SMOOTHINGS) - 1}"


def _beside(columns: int) -> str:
    return f"{columns} beside each other"
