"""The alerts of a run as its screen knows them: which are there, which are new, which still call."""

from __future__ import annotations

from pufftui.trainer.health import Level, Remedy
from pufftui.trainer.store import AlertRow, StoreReader

SIGNS = {Level.INFO: "·", Level.WARNING: "▲", Level.CRITICAL: "✕"}
COLOURS = {Level.INFO: "dim", Level.WARNING: "warning", Level.CRITICAL: "error"}
"""How levels are marked: a sign and the name of a colour."""


def level_of(alert: AlertRow) -> Level:
    """How much an alert matters."""
    return Level.named(alert.level)


def can_roll_back(alert: AlertRow) -> bool:
    """Whether going back to an earlier checkpoint would help."""
    return alert.evidence.get("remedy") == Remedy.ROLL_BACK.value


class Alerts:
    """Follows the alerts in a run's store. `rows` are in the order in which they were told.

    What a person has seen or muted on this screen counts at once, and for those who only look on it
    counts nowhere else.
    """

    def __init__(self) -> None:
        self.rows: list[AlertRow] = []
        self._muted: set[str] = set()
        self._turned: dict[str, bool] = {}
        self._seen: set[int] = set()
        self._opened = False

    @property
    def muted(self) -> set[str]:
        """The rules that call nobody."""
        here = {rule for rule, muted in self._turned.items() if muted}
        return (self._muted | here) - (self._turned.keys() - here)

    def mute(self, rule: str, *, muted: bool) -> None:
        """A person wants to hear no more of a rule, or again."""
        self._turned[rule] = muted

    def see(self, *alerts: int) -> None:
        """A person has seen these."""
        self._seen |= set(alerts)

    def is_seen(self, row: AlertRow) -> bool:
        """Whether a person has seen an alert."""
        return row.acknowledged_at is not None or row.id in self._seen

    def poll(self, reader: StoreReader) -> list[AlertRow] | None:
        """Takes in what has changed since the last call.

        Returns what is new, nothing of what was there when the run was opened; None if nothing has
        changed at all.
        """
        settled = self._settled()
        fresh = reader.alerts_after(settled)
        muted = reader.muted()
        known = {row.id for row in self.rows}
        rows = [row for row in self.rows if row.id <= settled] + fresh
        if rows == self.rows and muted == self._muted:
            self._opened = True
            return None
        new = [row for row in fresh if row.id not in known] if self._opened else []
        self.rows, self._muted, self._opened = rows, muted, True
        return new

    def _settled(self) -> int:
        """The id up to which no alert can change any more."""
        settled = 0
        for row in self.rows:
            if row.over_step is None or row.acknowledged_at is None:
                break
            settled = row.id
        return settled

    @property
    def open(self) -> list[AlertRow]:
        """What is still so and not muted, the worst first."""
        rows = [row for row in self.rows if row.over_step is None and row.rule not in self.muted]
        return sorted(rows, key=lambda row: (-level_of(row), -row.id))

    @property
    def about_score(self) -> list[AlertRow]:
        """What is still so of the score, the worst first."""
        return [row for row in self.open if row.evidence.get("metric") == "score"]

    @property
    def calling(self) -> list[AlertRow]:
        """What a person should look at and has not yet, the worst first."""
        return [
            row for row in self.open if not self.is_seen(row) and level_of(row) >= Level.WARNING
        ]

    @property
    def worst(self) -> Level | None:
        """The level of the worst that is open, None if nothing is."""
        return level_of(self.open[0]) if self.open else None
