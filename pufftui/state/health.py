"""One word on how the run is doing, with a sign, so that colour is never alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pufftui.appearance.format import duration
from pufftui.state.alerts import Alerts, level_of
from pufftui.trainer.health import Level
from pufftui.trainer.messages.snapshot import Phase, Snapshot

SILENT_AFTER = 10.0
"""Seconds without a new snapshot after which a running trainer is called silent."""


@dataclass(frozen=True, slots=True)
class Health:
    """`colour` names a colour of the theme."""

    sign: str
    word: str
    colour: str


PHASES = {
    Phase.STARTING: Health("◌", "warming up", "policy"),
    Phase.RUNNING: Health("●", "healthy", "good"),
    Phase.PAUSED: Health("‖", "paused", "warning"),
    Phase.STOPPING: Health("◌", "stopping", "warning"),
    Phase.FINISHED: Health("✓", "finished", "good"),
    Phase.INTERRUPTED: Health("■", "stopped", "warning"),
    Phase.FAILED: Health("✕", "failed", "error"),
    Phase.DIED: Health("✕", "died", "error"),
}

LOGGED = Health("●", "logged", "text")
"""A run of another program, in which nothing was found."""


def health(snapshot: Snapshot, silent: float, alerts: Alerts) -> Health:
    """`silent` is the time in seconds since the trainer last said anything."""
    if snapshot.phase is Phase.RUNNING:
        broken = any(not math.isfinite(value) for value in snapshot.losses.values())
        if broken or snapshot.not_finite:
            return Health("▲", "not finite", "error")
        if silent > SILENT_AFTER:
            return Health("▲", f"silent {duration(silent)}", "warning")
        worst = alerts.worst
        if worst is Level.CRITICAL:
            return Health("✕", "critical", "error")
        if worst is Level.WARNING:
            count = sum(level_of(alert) is Level.WARNING for alert in alerts.open)
            return Health("▲", "1 warning" if count == 1 else f"{count} warnings", "warning")
    return PHASES[snapshot.phase]
