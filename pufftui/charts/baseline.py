"""The curve of the policy that comes with a game, to lie dim behind the score of a run."""

from __future__ import annotations

import threading
import tomllib

import numpy as np

from pufftui.appearance.format import duration, figure
from pufftui.envs.catalogue import find_env
from pufftui.envs.reading import read_small_text
from pufftui.series.axis import Axis
from pufftui.series.curve import Series
from pufftui.trainer.run.baseline import CONFIG_FILE, read_curve
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.run.policies import run_environment

METRIC = "score"
"""The one that it has."""


class BaselineBehind:
    """Reads it once, on a thread of its own; until then, and where there is none, nothing is drawn."""

    def __init__(self, folder: RunFolder) -> None:
        """Of the environment of the run in this folder."""
        self._folder = folder
        self._curves: dict[Axis, Series] = {}
        self._thread: threading.Thread | None = None
        self.label = ""
        """What it is and how soon it was how good, in a few words; empty where there is none."""

    def load(self) -> None:
        """Begins to read, if that has not begun."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._read, name="baseline", daemon=True)
            self._thread.start()

    def series(self, metric: str, axis: Axis) -> list[Series]:
        """Its curve, if it has one of this metric along this axis."""
        found = self._curves.get(axis) if metric == METRIC else None
        return [] if found is None else [found]

    def _read(self) -> None:
        env = run_environment(self._folder)
        curve = read_curve(env) if env else None
        if env is None or curve is None or not self._is_the_same_game(env):
            return
        scores = np.array(curve.scores)
        self._curves = {
            Axis.STEPS: Series.of_points(np.array(curve.steps), scores),
            Axis.TIME: Series.of_points(np.maximum.accumulate(curve.seconds), scores),
        }
        goal, seconds = curve.milestone()
        self.label = f"baseline: {duration(seconds)} to {figure(goal)}"

    def _is_the_same_game(self, env: str) -> bool:
        """Whether the baseline was trained with the parameters of this run: others make another game of it."""
        files = self._folder.config_file, find_env(env).baseline / CONFIG_FILE
        try:
            here, there = (tomllib.loads(read_small_text(file)).get("env", {}) for file in files)
        except (OSError, ValueError, RecursionError):
            return False
        return bool(here == there)
