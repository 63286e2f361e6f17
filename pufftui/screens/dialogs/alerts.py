"""All alerts of a run: what was found, by which rule, why, and what to do about it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from rich.text import Text
from textual.binding import Binding

from pufftui.appearance.format import duration, fit, steps
from pufftui.appearance.theme import PuffTheme
from pufftui.screens.dialogs.dialog import TEXT_WIDTH, Dialog
from pufftui.state.alerts import COLOURS, SIGNS, Alerts, can_roll_back, level_of
from pufftui.trainer.store import AlertRow

Act = Callable[[AlertRow], None]


class AlertsScreen(Dialog):
    """A list, the newest first; the chosen one with all that is known about it."""

    BINDINGS = [
        Binding("up,k", "move(-1)", "Newer", show=False, priority=True),
        Binding("down,j", "move(1)", "Older", show=False, priority=True),
        Binding("enter", "seen", "Seen", show=False),
        Binding("m", "mute", "Mute", show=False),
        Binding("r", "roll_back", "Roll back", show=False),
        Binding("a,q", "close", "Close", show=False),
    ]

    def __init__(
        self, look: PuffTheme, alerts: Alerts, seen: Act, mute: Act, roll_back: Act | None
    ) -> None:
        """`roll_back` is None for those who only look on."""
        super().__init__(look)
        self._alerts, self._seen, self._mute, self._roll_back = alerts, seen, mute, roll_back
        self._chosen: int | None = None
        self._shown: tuple[object, ...] = ()

    @property
    def title_text(self) -> str:  # type: ignore[override]
        count = len(self._alerts.rows)
        return f"Alerts ({count})" if count else "Alerts"

    def tick(self) -> None:
        """Called by the application's timer; paints what has changed."""
        shown = (self._alerts.rows, self._alerts.muted)
        if shown != self._shown:
            self._shown = shown
            self.paint()

    @property
    def _rows(self) -> list[AlertRow]:
        return self._alerts.rows[::-1]

    @property
    def _place(self) -> int:
        ids = [row.id for row in self._rows]
        return ids.index(self._chosen) if self._chosen in ids else 0

    def body(self) -> Text:
        if not self._rows:
            return self.ink(
                ("Nothing was found. ", "good", True),
                ("The checks look at every second of the run.", "dim", False),
            )
        parts: list[tuple[str, str, bool]] = []
        for place, row in enumerate(self._rows):
            parts += self._line(row, chosen=place == self._place)
            if place == self._place:
                parts += self._details(row)
        return self.ink(*parts)

    def _line(self, row: AlertRow, *, chosen: bool) -> list[tuple[str, str, bool]]:
        level, gone = level_of(row), row.over_step is not None
        state = (
            "muted"
            if row.rule in self._alerts.muted
            else "over"
            if gone
            else "seen"
            if self._alerts.is_seen(row)
            else "open"
        )
        quiet = state != "open"
        return [
            ("▸ " if chosen else "  ", "policy", True),
            (f"{duration(row.seconds):>8}  ", "dim", False),
            (f"{SIGNS[level]} ", COLOURS[level], True),
            (
                fit(self.look.words(row.title), 44),
                "dim" if quiet and not chosen else "text",
                chosen,
            ),
            (f"{state:>7}\n", "dim" if quiet else COLOURS[level], False),
        ]

    def _details(self, row: AlertRow) -> list[tuple[str, str, bool]]:
        since = row.evidence.get("since_step")
        when = f"since step {steps(since)}" if isinstance(since, int) else ""
        if row.over_step is not None:
            when += f", until step {steps(row.over_step)}"
        blocks = [
            (f"{row.text} ({when})" if when else row.text, "text"),
            (row.advice, "policy"),
            (f"Rule: {row.evidence.get('rule', '')}", "dim"),
            (f"Source: {row.evidence.get('source', '')}", "dim"),
        ]
        parts: list[tuple[str, str, bool]] = []
        for text, colour in blocks:
            if text and not text.endswith(": "):
                wrapped = textwrap.fill(
                    self.look.words(text),
                    TEXT_WIDTH,
                    initial_indent=" " * 12,
                    subsequent_indent=" " * 12,
                )
                parts.append((f"{wrapped}\n", colour, False))
        return parts

    def hints(self) -> list[tuple[str, str]]:
        if not self._rows:
            return [("esc", "close")]
        row = self._rows[self._place]
        muted = row.rule in self._alerts.muted
        keys = [("↑ ↓", "choose")]
        if not self._alerts.is_seen(row):
            keys.append(("enter", "seen"))
        keys.append(("m", "report it again" if muted else "mute this rule"))
        if self._roll_back is not None and can_roll_back(row):
            keys.append(("r", "roll back"))
        return [*keys, ("esc", "close")]

    def action_move(self, by: int) -> None:
        rows = self._rows
        if rows:
            self._chosen = rows[min(max(self._place + by, 0), len(rows) - 1)].id
            self.paint()

    def action_seen(self) -> None:
        if self._rows:
            self._seen(self._rows[self._place])
            self.paint()

    def action_mute(self) -> None:
        if self._rows:
            self._mute(self._rows[self._place])
            self.paint()

    def action_roll_back(self) -> None:
        row = self._rows[self._place] if self._rows else None
        if row is not None and self._roll_back is not None and can_roll_back(row):
            self._roll_back(row)
            self.dismiss()
