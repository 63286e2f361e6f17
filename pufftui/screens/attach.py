"""The dashboard of a run that another process trains, with the controls: looking and touching."""

from __future__ import annotations

from pufftui.appearance.theme import PuffTheme
from pufftui.keys.bindings import bindings
from pufftui.keys.tables import ATTACH_KEYS
from pufftui.screens.controllers.leaving import LeavingController
from pufftui.screens.dialogs.leave import LeaveScreen
from pufftui.screens.watch import WatchScreen
from pufftui.state.session import AttachSession
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
        self._leaving = LeavingController(self, session, lambda: LeaveScreen(self.look, session))

    def tick(self) -> None:
        super().tick()
        for complaint in self._attached.control.complaints():
            self.notify(complaint, title="Not done", severity="warning", markup=False)

    def action_quit(self) -> None:
        self._leaving.ask()

    def confirm_leaving(self) -> None:
        self._leaving.confirm()
