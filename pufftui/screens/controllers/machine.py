"""What the machine does that trains a run, and what the screen may cost on it."""

from __future__ import annotations

import time
from collections.abc import Callable

from pufftui.appearance.theme import PuffTheme
from pufftui.envs.cores import available_cores
from pufftui.state.pace import Pace
from pufftui.state.session import RunSession
from pufftui.state.stored_machine import StoredMachine
from pufftui.trainer.messages.command import SetFrameRate
from pufftui.trainer.messages.snapshot import Phase, Snapshot
from pufftui.trainer.monitor.system import (
    GpuReadings,
    GpuSampler,
    HostReading,
    HostSampler,
    Sampling,
)
from pufftui.trainer.store import StoreReader
from pufftui.widgets.machine import MachineCard, TimeCard


class MachineController:
    """Reads this machine, or what another one has left in the store if the run is `elsewhere`.

    `rearrange` is called when there are other GPUs to show.
    """

    def __init__(
        self,
        look: PuffTheme,
        session: RunSession,
        host: HostSampler,
        gpu: GpuSampler,
        rearrange: Callable[[], None],
        *,
        elsewhere: bool,
    ) -> None:
        self.card, self.timing = MachineCard(look), TimeCard(look)
        self.samplings = (Sampling(host), Sampling(gpu))
        self.gpus = 0
        self._session, self._rearrange = session, rearrange
        self._host, self._gpu = host, gpu
        self._stored = StoredMachine() if elsewhere else None
        self._pace = Pace(available_cores())
        self._readings: tuple[HostReading, GpuReadings] | None = None
        self._snapshot: Snapshot | None = None

    def begin(self) -> None:
        """Starts to read."""
        for sampling in self.samplings:
            sampling.start()

    def end(self) -> None:
        """Reads no more."""
        for sampling in self.samplings:
            sampling.stop()

    def show(self, snapshot: Snapshot) -> None:
        """Takes in what an epoch spends its time on."""
        self._snapshot = self.timing.snapshot = snapshot
        self.timing.paint()

    def poll(self, reader: StoreReader) -> None:
        """Reads what the machine that trains has left in the store."""
        if self._stored is not None:
            self._stored.poll(reader)

    def follow(self) -> None:
        """Shows what is new."""
        stored = None if self._stored is None else self._stored.latest
        readings = stored or (self._host.latest, self._gpu.latest)
        if readings != self._readings:
            self._readings = readings
            self.card.show(*readings, self._snapshot.device if self._snapshot else "")
            if self.gpus != len(readings[1].gpus):
                self.gpus = len(readings[1].gpus)
                self._rearrange()

    def keep_pace(self, now: float, *, free: bool) -> None:
        """Shows fewer frames of the game where all of them would cost too much of the training.

        Not so where training does not run, or where the frames are what matters: then they are `free`.
        """
        trains = self._snapshot is not None and self._snapshot.phase is Phase.RUNNING
        spent = time.thread_time() + self._session.arena.spent
        before = self._pace.rate
        rate = self._pace.follow(now, spent, free=free or not trains)
        if rate != before:
            self._session.arena.send(SetFrameRate(rate))
