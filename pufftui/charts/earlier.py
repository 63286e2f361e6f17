"""Curves of earlier runs of the same environment, to lie behind those of this one."""

from __future__ import annotations

import threading

from pufftui.charts.chart import EARLIER_LINES
from pufftui.envs.errors import PuffError
from pufftui.series.axis import Axis
from pufftui.series.curve import Series
from pufftui.series.stored import RunCurves
from pufftui.trainer.run.folder import RunFolder, run_names, runs_root
from pufftui.trainer.run.policies import run_environment

MOST_LOOKED_AT = 400
"""Runs whose settings are read at most."""


class EarlierRuns:
    """Reads them once, on a thread of its own; until then there are none."""

    def __init__(self, folder: RunFolder) -> None:
        """Of the run in this folder, which is left out."""
        self._folder = folder
        self.runs: tuple[RunCurves, ...] = ()
        self._thread: threading.Thread | None = None

    def load(self) -> None:
        """Begins to read, if that has not begun."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._read, name="earlier", daemon=True)
            self._thread.start()

    def series(self, metric: str, axis: Axis) -> list[Series]:
        """The curves of a metric, of the runs that have it."""
        found = (run.series(metric, axis) for run in self.runs)
        return [series for series in found if not series.empty]

    def _read(self) -> None:
        found: list[RunCurves] = []
        env = run_environment(self._folder)
        try:
            names = run_names()[:MOST_LOOKED_AT]
        except PuffError:
            return
        for name in names:
            folder = RunFolder(runs_root() / name)
            if name == self._folder.id or run_environment(folder) != env:
                continue
            try:
                curves = RunCurves.read(folder, env)
            except PuffError:
                continue
            if len(curves.blocks.first_steps):
                found.append(curves)
                self.runs = tuple(found)
            if len(found) == EARLIER_LINES:
                return
