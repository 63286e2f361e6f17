"""What a figure means, what is healthy, whence that is known, and what to try when it is off."""

from __future__ import annotations

import textwrap

from rich.text import Text
from textual.binding import Binding

from pufftui.appearance.format import figure
from pufftui.appearance.theme import PuffTheme
from pufftui.charts.charting import Charting
from pufftui.charts.explain import explain
from pufftui.screens.dialogs.dialog import TEXT_WIDTH, Dialog
from pufftui.trainer.health import RULES, Rule

LABEL = 10


class ExplainScreen(Dialog):
    """One metric."""

    BINDINGS = [Binding("enter,q", "close", "Close", show=False)]

    def __init__(self, look: PuffTheme, metric: str, charting: Charting) -> None:
        super().__init__(look)
        self._metric, self._charting = metric, charting

    @property
    def title_text(self) -> str:  # type: ignore[override]
        return explain(self._metric).label

    def body(self) -> Text:
        about = explain(self._metric, self._charting.meanings)
        series = self._charting.series(self._metric)
        known = series.count > 0
        parts: list[tuple[str, str, bool]] = []
        if known.any():
            low, high = float(series.low[known].min()), float(series.high[known].max())
            odd = self._charting.history.not_finite.get(self._metric)
            current = figure(self._charting.history.current(self._metric))
            parts += [
                (current if odd is None else odd.words, "policy" if odd is None else "error", True),
                (f"   from {figure(low)} to {figure(high)} so far\n\n", "dim", False),
            ]
        rows = [
            ("", about.means),
            ("healthy", about.healthy),
            ("source", about.source),
            ("try", about.advice),
            *(
                ("alert", f"{rule.title}. {rule.meaning} See {rule.branch}.")
                for rule in self._rules()
            ),
        ]
        for name, text in rows:
            if text:
                parts += self._row(name, text)
        parts.append((f"\n{self._metric}", "dim", False))
        return self.ink(*parts)

    def _rules(self) -> list[Rule]:
        return [rule for rule in RULES.values() if rule.metric == self._metric]

    def _row(self, name: str, text: str) -> list[tuple[str, str, bool]]:
        room = TEXT_WIDTH - (LABEL if name else 0)
        colour = {"": "text", "try": "policy", "alert": "warning"}.get(name, "dim")
        lines = textwrap.wrap(text, room)
        parts: list[tuple[str, str, bool]] = []
        for number, line in enumerate(lines):
            label = name.ljust(LABEL) if name and not number else " " * (LABEL if name else 0)
            parts += [(label, "text", True), (f"{line}\n", colour, False)]
        return [*parts, ("\n", "dim", False)]
