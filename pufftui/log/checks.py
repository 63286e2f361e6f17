"""The health checks of a run that a script logs: those that need nothing but a score and losses."""

from __future__ import annotations

from collections.abc import Mapping

from pufftui.trainer.health import FACTS, Facts, HealthSuite, Moment, write_changes
from pufftui.trainer.store import StoreWriter


class Checks:
    """Takes rows from the script at next to no cost, and looks at them in another thread.

    What was logged between two looks is one moment: the means of it, and for each metric what is
    not finite if that came last.
    """

    def __init__(self, store: StoreWriter) -> None:
        """Tells the store which rules hold."""
        facts = Facts(logged=True)
        self._store, self._suite = store, HealthSuite(facts)
        self._waiting: dict[str, tuple[float, int]] = {}
        self._place = (0, 0.0)
        store.fact(FACTS, facts.as_dict())

    def row(self, step: int, seconds: float, means: Mapping[str, float]) -> None:
        """A row was written."""
        self._place = step, seconds
        for name, value in means.items():
            total, count = self._waiting.get(name, (0.0, 0))
            broken = total - total or value - value  # NaN if one of them is not finite
            self._waiting[name] = (value, 1) if broken else (total + value, count + 1)

    def take(self) -> Moment | None:
        """What has come since the last time, if anything has; the caller keeps rows away meanwhile."""
        waiting, self._waiting = self._waiting, {}
        values = {name: total / count for name, (total, count) in waiting.items()}
        return Moment(*self._place, values) if values else None

    def look(self, moment: Moment | None) -> None:
        """Looks at it; the script may log meanwhile."""
        if moment is not None:
            write_changes(self._store, self._suite.see(moment))
