"""The dashboard of a run that another process trains, with the controls: looking and touching."""

from __future__ import annotations

from pufftui.appearance.theme import PuffTheme
from pufftui.keys.bindings import bindings
from pufftui.keys.tables import ATTACH_KEYS
from pufftui.screens.dialogs.leave import LeaveScreen
from pufftui.screens.watch import WatchScreen
from pufftui.state.session import AttachSession
from pufftui.trainer.messages.snapshot import Phase, Snapshot
from pufftui.trainer.monitor.system import GpuSampler, HostSampler


class AttachScreen(WatchScreen):
    """Commands go to the trainer's control socket; what comes of them is seen in the run."""

    ROLE = "attached"
    KEYS = ATTACH_KEYS
    BINDINGS = bindings(KEYS)

    def __init__(
        self, session: AttachSession, look: PuffTheme, host: HostSampler, gpu: GpuSampler
    ) -> None:
        super().__init__(session, look, host, gpu, steering=session.control)
        self._attached = session
        self._question: LeaveScreen | None = None

    def tick(self) -> None:
        super().tick()
        for complaint in self._attached.control.complaints():
            self.notify(complaint, title="Not done", severity="warning", markup=False)

    def phase_changed(self, before: Snapshot | None, snapshot: Snapshot) -> None:
        super().phase_changed(before, snapshot)
        paused = snapshot.phase is Phase.PAUSED
        self.player.label(pause="resume training" if paused else "pause training")

    @property
    def _is_asking(self) -> bool:
        return self._question is not None and self.app.screen is self._question

    def action_quit(self) -> None:
        if self._attached.runner.latest.phase.ended:
            self.app.exit()
        elif not self._is_asking:
            self._question = LeaveScreen(self.look, self._attached)
            self.app.push_screen(self._question)

    def confirm_leaving(self) -> None:
        if self._question is not None and self._is_asking:
            self._question.action_confirm()
