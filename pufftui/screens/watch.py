"""The dashboard of a run that another process trains, or has trained: looking, not touching."""

from __future__ import annotations

from dataclasses import replace

from pufftui.appearance.format import duration, steps
from pufftui.appearance.theme import PuffTheme
from pufftui.keys.bindings import bindings
from pufftui.keys.tables import TRAINING_ONLY, WATCH_KEYS
from pufftui.screens.controllers.training import Steering
from pufftui.screens.dialogs.end import ErrorScreen, SummaryScreen
from pufftui.screens.run import RunScreen
from pufftui.state.health import Health, health
from pufftui.state.session import WatchSession
from pufftui.trainer.messages.snapshot import Phase, Snapshot
from pufftui.trainer.monitor.system import GpuSampler, HostSampler

TOAST_SECONDS = 8


class WatchScreen(RunScreen):
    """Follows the run wherever it goes: silent, dead, resumed by somebody, removed."""

    ROLE = "watching"
    KEYS = WATCH_KEYS
    BINDINGS = bindings((*KEYS, *(replace(key, action="only_watching") for key in TRAINING_ONLY)))

    def __init__(
        self,
        session: WatchSession,
        look: PuffTheme,
        host: HostSampler,
        gpu: GpuSampler,
        *,
        steering: Steering | None = None,
    ) -> None:
        super().__init__(session, look, host, gpu, elsewhere=True, steering=steering)
        self.watcher = session.runner
        self._end: ErrorScreen | SummaryScreen | None = None
        if session.no_game:
            self.player.no_game = self.game.absent = session.no_game
            self.policy.silent = ""

    def tick(self) -> None:
        super().tick()
        if self.watcher.no_policy:
            self.policy.silent = self.watcher.no_policy

    def health(self, snapshot: Snapshot, now: float) -> Health:
        watcher = self.watcher
        if watcher.gone:
            return Health("✕", "removed", "error")
        if watcher.trouble:
            return Health("▲", "unreadable", "error")
        if snapshot.phase is Phase.DIED:
            return Health("✕", f"died {duration(watcher.silence)} ago", "error")
        return health(snapshot, watcher.silence, self.alerts.known)

    def phase_changed(self, before: Snapshot | None, snapshot: Snapshot) -> None:
        if before is None or before.phase.ended:
            self._close_end()
            self.say_where_it_is(snapshot)
        elif snapshot.phase.ended and not self.watcher.gone:
            self._end = self.show_end(snapshot)

    def _close_end(self) -> None:
        """A run that has begun again needs no summary of its end."""
        if self._end is not None and self.app.screen is self._end:
            self._end.action_close()

    def say_where_it_is(self, snapshot: Snapshot) -> None:
        """One sentence on how the run stands."""
        run, watcher = self.session.folder.id, self.watcher
        ago = f"{duration(watcher.silence)} ago, at step {steps(snapshot.step)}"
        words = {
            Phase.FINISHED: f"Finished {ago}.",
            Phase.INTERRUPTED: f"Stopped {ago}. To go on: pufftui resume {run}",
            Phase.FAILED: f"Failed {ago}. What happened is in {self.session.folder.log}",
            Phase.DIED: f"Its trainer died {ago}. To go on: pufftui resume {run}",
        }
        holder = watcher.holder
        trainer = holder.name if holder else "another process"
        text = words.get(snapshot.phase, f"It is being trained by {trainer}.")
        self.notify(text, title=run, timeout=TOAST_SECONDS, markup=False)

    # What the person does.

    def action_only_watching(self) -> None:
        text = (
            f"You are only watching. To control this run: pufftui attach {self.session.folder.id}"
        )
        self.notify(text, title="Not from here", severity="warning", markup=False)
